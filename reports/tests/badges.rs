//! A badge stands beside every figure of every page, and the colours of the chip's units mean nothing else.

mod common;

use reports::accuracy::accuracy_page;
use reports::html::latency_page;
use std::path::Path;

/// The parts of `page` from each `begin` to the next `end`.
fn parts<'a>(page: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    page.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or("")).collect()
}

/// Every picture, every first number and every table with numbers says what it rests on, and the page says what that means.
fn badged(name: &str, page: &str) {
    let badge = "<span class=\"trust trust-";
    for figure in parts(page, "<figure>", "</h3>") {
        assert!(figure.contains(badge), "{name}: a picture without a badge: {figure}");
    }
    for list in parts(page, "<ul class=\"numbers", "</ul>") {
        for number in parts(list, "<li", "</li>") {
            assert!(number.contains(badge), "{name}: a number without a badge: {number}");
        }
    }
    for table in parts(page, "<table>", "</table>") {
        let caption = table.split("</caption>").next().unwrap_or("");
        let numbers = table.contains("<td class=\"number\">");
        // what steps of a tool took is no figure of the chip
        let exempt = caption.contains("Every record lies beside this page");
        assert!(!numbers || exempt || caption.contains(badge), "{name}: a table without a badge: {caption}");
    }
    let key = page.split("What stands beside a figure").nth(1).unwrap_or_else(|| panic!("{name}: no key"));
    for word in parts(page, badge, "\"") {
        assert!(key.contains(&format!("{badge}{word}\"")), "{name}: the key lacks {word}");
    }
}

#[test]
fn every_figure_of_the_committed_runs_has_a_badge() {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
    let newest = std::fs::read_dir(&runs).expect("runs").flatten().map(|e| e.path());
    let newest = newest.filter(|p| p.to_string_lossy().ends_with("-all")).max().expect("a run of report all");
    let read = |file: &str| std::fs::read_to_string(newest.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let latency = records::latency::LatencyRecord::from_json(&read("latency.json"), "latency").expect("a record");
    let accuracy = records::accuracy::AccuracyRecord::from_json(&read("accuracy.json"), "accuracy").expect("a record");
    let version = records::asic::SCHEMA_VERSION;
    let asic = records::input::parse(&read("asic.json"), "asic", version).expect("a record");
    let power = records::input::parse(&read("power.json"), "power", version).expect("a record");
    let part = records::input::parse(&read("xck26.json"), "xck26", records::fpga::SCHEMA_VERSION).expect("a record");
    badged("latency", &latency_page(&latency).expect("a page"));
    badged("accuracy", &accuracy_page(&accuracy).expect("a page"));
    badged("asic", &reports::asic::page(&asic).expect("a page"));
    badged("power", &reports::power::page(&power).expect("a page"));
    badged("fpga", &reports::html::fpga::fpga_page(None, None, std::slice::from_ref(&part)).expect("a page"));
    let all = records::all::AllRecord::read(&newest.join("all.json")).expect("a record");
    let records = reports::all::Records {
        latency: Some(latency),
        accuracy: Some(accuracy),
        asic: Some(asic),
        power: Some(power),
        parts: vec![("xck26".into(), part)],
        build: None,
    };
    badged("all", &reports::all::page(&all, &records).expect("a page"));
}

#[test]
fn a_page_without_a_badge_is_found() {
    let page =
        reports::page::table("t", &[], &[reports::page::Column::number("n", "")], &[vec!["1".into(), "2".into()]]);
    let text = page.as_str().replace("<th scope=\"row\" class=\"number\">", "<td class=\"number\">");
    assert!(std::panic::catch_unwind(|| badged("planted", &text)).is_err());
}

/// Colours of units, of the kinds of their work and of lost cycles stand in the files that say so, and in no other.
#[test]
fn a_units_colour_means_that_unit_on_every_page() {
    const UNITS: [&str; 14] = [
        "BLUE",
        "NAVY",
        "SKY",
        "STEEL",
        "YELLOW",
        "AMBER",
        "SAND",
        "MUSTARD",
        "VIOLET",
        "AQUA",
        "PINK",
        "GREY",
        "SLATE",
        "PALE_GREY",
    ];
    const WHERE: [&str; 4] = ["palette.rs", "family.rs", "all/units.rs", "html/figures.rs"];
    // the stream of weights at work: pictures of the matrix unit
    const MATRIX: [&str; 1] = ["pictures/stream.rs"];
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => files(&path, found),
                path if path.extension().is_some_and(|e| e == "rs") => found.push(path),
                _ => {}
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![];
    files(&root, &mut found);
    for path in found {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
        if WHERE.contains(&name.as_str()) || MATRIX.contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()));
        for word in words {
            assert!(!UNITS.contains(&word), "{name} uses {word}, the colour of a unit of the chip");
        }
    }
}
