//! The latency report from the outside: exact numbers, a page that holds together, records that survive a disk.

mod common;

use common::{hand_made, op, realistic, well_formed};
use records::input::pretty;
use records::latency::{LatencyRecord, PortCycles, Unit};
use records::summary::ShareKind;
use records::RecordError;
use reports::html::latency_page;
use reports::summary::summary;
use reports::ReportError;

#[test]
fn summary_of_the_hand_made_record_is_exact() {
    let s = summary(&hand_made()).unwrap();
    assert_eq!(s.utilisation, 0.5); // 8000 / (1000 * 16)
    assert_eq!(s.stream_utilisation, 0.6);
    assert_eq!(s.floor_cycles, 600);
    assert_eq!(s.tokens_per_s, 100_000.0); // 100 MHz / 1000
    assert_eq!(s.us_per_token, 10.0);
    assert_eq!((s.cycles_min, s.cycles_max), (1000, 1010));

    let units: Vec<_> = s.units.iter().map(|u| (u.unit, u.n_ops, u.busy_cycles)).collect();
    // mat 150-400, 500-700, 900-980; vec 0-150, 200-500, 650-896: overlaps count once
    assert_eq!(units, [(Unit::Dma, 1, 600), (Unit::Mat, 4, 530), (Unit::Vec, 5, 696), (Unit::Wkv, 1, 120)]);

    // gaps 0-150 (q.att.xk), 400-500 (ln2.h ends at 500, the very start of ffn.k), 700-900 (ln_out.h), 980-1000 (nothing)
    assert_eq!(s.exposed_cycles, 470);
    assert_eq!(s.hand_over_cycles, 20);
    let op = |name: &str| s.ops.iter().find(|o| o.name == name).unwrap();
    let exposed = |name: &str| (op(name).busy_cycles, op(name).exposed_cycles, op(name).ran_exposed_cycles);
    assert_eq!(exposed("ln1.h"), (100, 0, 100));
    assert_eq!(exposed("q.att.xk"), (60, 150, 50)); // 90-100 is charged to ln1.h, which started first
    assert_eq!(exposed("ln2.h"), (300, 100, 100)); // started before att.y, so the whole gap 400-500 is its
    assert_eq!(exposed("att.y"), (120, 0, 0));
    assert_eq!(exposed("ffn.r2"), (70, 0, 20));
    assert_eq!(exposed("ln_out.h"), (176, 200, 176));
    assert_eq!(exposed("ffn.k"), (200, 0, 0));
    assert_eq!((op("ffn.k").n_ops, op("ffn.k").weight_bytes), (2, 3000));
    assert_eq!(s.ops[0].name, "ln_out.h", "the most exposed op comes first");

    let layers: Vec<_> =
        s.layers.iter().map(|l| (l.name.as_str(), l.mat_cycles, l.exposed_cycles, l.vec_busy_cycles)).collect();
    assert_eq!(layers, [("layer 0", 450, 250, 520), ("head", 80, 220, 176)]);

    let share = |kind, family: Option<&str>| {
        s.shares.iter().find(|x| x.kind == kind && x.family.as_deref() == family).unwrap().cycles
    };
    assert_eq!(share(ShareKind::Mat, Some("time-mix matrices")), 250);
    assert_eq!(share(ShareKind::Mat, Some("channel-mix matrices")), 200);
    assert_eq!(share(ShareKind::Exposed, Some("norms")), 100 + 100 + 176);
    assert_eq!(share(ShareKind::NothingRan, None), 4 + 20); // 896-900 and 980-1000
    let stall = s.stalls.iter().find(|x| x.cause == "mat_waits_for_operand").unwrap();
    assert_eq!((stall.cycles, stall.share), (320, 0.32));
}

#[test]
fn every_cycle_is_counted_once() {
    for record in [hand_made(), realistic(), LatencyRecord { ops: vec![], ..hand_made() }] {
        let s = summary(&record).unwrap();
        let total = record.cycles_per_token;
        assert_eq!(s.shares.iter().map(|x| x.cycles).sum::<u64>(), total);
        assert_eq!(s.layers.iter().map(|l| l.mat_cycles + l.exposed_cycles).sum::<u64>(), total);
        assert_eq!(s.ops.iter().map(|o| o.exposed_cycles).sum::<u64>() + s.hand_over_cycles, s.exposed_cycles);
        let mat = s.units.iter().find(|u| u.unit == Unit::Mat).unwrap().busy_cycles;
        assert_eq!(mat + s.exposed_cycles, total);
    }
}

#[test]
fn summary_json_has_the_promised_keys() {
    let json: serde_json::Value = serde_json::from_str(&pretty(&summary(&hand_made()).unwrap()).unwrap()).unwrap();
    assert_eq!(json["cycles_per_token"], 1000);
    assert_eq!(json["utilisation"], 0.5);
    assert_eq!(json["units"][1]["unit"], "mat");
}

#[test]
fn a_record_survives_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let record = realistic();
    let files = reports::output::write_latency_report(&record, &dir.path().join("new/dir")).unwrap();
    assert_eq!(LatencyRecord::read(&files.record).unwrap(), record);
    assert!(std::fs::read_to_string(&files.page).unwrap().ends_with("</html>\n"));
    let mut names: Vec<_> = std::fs::read_dir(dir.path().join("new/dir"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["index.html", "latency.json", "summary.json"], "no temporary file is left");
}

#[test]
fn records_that_cannot_be_trusted_are_refused() {
    let json = pretty(&hand_made()).unwrap();
    for (from, to, found) in [
        ("\"schema_version\": 1", "\"schema_version\": 2", "2"),
        ("\"schema_version\": 1", "\"schema_version\": \"1\"", "\"1\""),
        ("\"schema_version\": 1,", "", "missing"),
    ] {
        let error = LatencyRecord::from_json(&json.replace(from, to), "r.json").unwrap_err();
        assert!(matches!(&error, RecordError::Schema { found: f, expected: 1, .. } if f == found), "{error}");
        assert_eq!(error.to_string(), format!("r.json: schema_version {found}, expected 1"));
    }
    let unknown = LatencyRecord::from_json(&json.replace("\"bus_bytes\"", "\"bus_bits\""), "r.json").unwrap_err();
    assert!(unknown.to_string().contains("bus_bits"), "{unknown}");
    assert!(matches!(LatencyRecord::read("no/such/file".as_ref()), Err(RecordError::Read { .. })));

    let late = op(Unit::Vec, 7, Some(0), "late", (990, 1001), 0);
    let backward = op(Unit::Mat, 7, Some(0), "backward", (10, 9), 0);
    let beyond = op(Unit::Mat, 7, Some(2), "beyond", (1, 9), 0);
    for (bad, field) in [
        (LatencyRecord { cycles_per_token: 0, ..hand_made() }, "cycles_per_token"),
        (LatencyRecord { port: Some(PortCycles { beats: 999, ..PortCycles::default() }), ..hand_made() }, "port"),
        (LatencyRecord { cycles_per_token: 1001, ..hand_made() }, "cycles_per_token"),
        (LatencyRecord { bus_bytes: 0, ..hand_made() }, "bus_bytes"),
        (LatencyRecord { clock_mhz: f64::NAN, ..hand_made() }, "clock_mhz"),
        (LatencyRecord { tokens_measured: 2, ..hand_made() }, "tokens_measured"),
        (LatencyRecord { mismatches: None, ..hand_made() }, "mismatches"),
        (LatencyRecord { stream_bytes_per_token: 7999, ..hand_made() }, "stream_bytes_per_token"),
        (LatencyRecord { ops: vec![late], ..hand_made() }, "ops: vec 7 \"late\""),
        (LatencyRecord { ops: vec![backward], ..hand_made() }, "ops: mat 7 \"backward\""),
        (LatencyRecord { ops: vec![beyond], ..hand_made() }, "ops: mat 7 \"beyond\""),
    ] {
        let error = summary(&bad).unwrap_err();
        assert!(
            matches!(&error, ReportError::Record(RecordError::Invalid { field: f, .. }) if f == field),
            "{field}: {error}"
        );
        assert!(latency_page(&bad).is_err());
    }
}

#[test]
fn the_page_is_well_formed_and_self_contained() {
    let page = latency_page(&realistic()).unwrap();
    let tags = well_formed(&page);
    assert_eq!(tags["figure"], 6);
    assert_eq!(tags["svg"], 3 + 3 * 2, "three timelines, and three pictures with a twin for phones");
    assert!(tags["desc"] == tags["svg"] && tags["title"] > tags["svg"], "every picture has a name and a description");
    assert!(tags["table"] >= 4 && tags["h1"] == 1);
    for outside in ["http://", "https://", "url(", "@import", "<script", "<link", "src="] {
        let left = page.replace("http://www.w3.org/2000/svg", ""); // a name, not a place
        assert!(!left.contains(outside), "{outside}");
    }
    for shown in ["nano", "shakespeare", "2025-11-21", "c371fa2", "cycles/token", "412,000 values compared"] {
        assert!(page.contains(shown), "{shown}");
    }
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    reports::output::write_latency_report(&realistic(), &dir.join("latency")).unwrap();
    // to look at
}

#[test]
fn names_from_outside_cannot_break_the_page() {
    let nasty = "<x> & \"y\" </svg>";
    let mut record = realistic();
    record.model = nasty.into();
    record.config = nasty.into();
    record.command = nasty.into();
    record.date = nasty.into();
    record.git_revision = Some(nasty.into());
    for op in record.ops.iter_mut().step_by(3) {
        op.name = nasty.into();
    }
    let page = latency_page(&record).unwrap();
    let tags = well_formed(&page);
    assert!(!tags.contains_key("x"));
    assert!(page.contains("&lt;x&gt; &amp; "));
}

#[test]
fn sparse_records_still_make_a_page() {
    let empty = LatencyRecord { ops: vec![], values_checked: None, mismatches: None, ..hand_made() };
    let page = latency_page(&empty).unwrap();
    well_formed(&page);
    assert!(page.contains("this run compared no values"));
    let one_cycle = LatencyRecord {
        cycles_per_token: 1,
        cycles_all_tokens: vec![1],
        tokens_measured: 1,
        ops: vec![op(Unit::Mat, 0, None, "logits", (0, 1), 16), op(Unit::Vec, 0, None, "nothing", (0, 0), 0)],
        port: None,
        ..hand_made()
    };
    well_formed(&latency_page(&one_cycle).unwrap());
    let mut slow = hand_made();
    slow.memory.bytes_per_cycle = 4.5;
    assert!(latency_page(&slow).unwrap().contains("at most 4.5 bytes a cycle, less than the bus"));
    let wrong = LatencyRecord { mismatches: Some(7), ..hand_made() };
    let page = latency_page(&wrong).unwrap();
    assert!(page.contains("class=\"alarm\"") && page.contains("7 of 1,234 values differed"));
}
