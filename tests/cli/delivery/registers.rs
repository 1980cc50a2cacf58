//! Registers, ports and buses: SystemRDL and IP-XACT say the same as the generator.

use super::{command_of, json, read, streamed, strings, Scratch, Tools};
use rtl_gen::config::Config;
use rtl_gen::hdl::Dir;
use rtl_gen::registers::{all, Access, Field};
use serde_json::{json, Value};
use std::path::Path;

/// What `reader` finds of the registers of `config`. IP-XACT says less of what an access does beside reading and writing.
fn expected(config: &Config, reader: &str) -> Value {
    let field = |f: &Field| {
        let (sw, onwrite, onread, pulse) = match f.access {
            Access::ReadOnly => ("r", None, None, false),
            Access::ReadWrite => ("rw", None, None, false),
            Access::WriteOnly => ("w", None, None, false),
            Access::WriteOneToClear => ("rw", Some("woclr"), None, false),
            Access::Action if reader == "rdl" => ("w", None, None, true),
            Access::Action => ("w", Some("woset"), None, false),
            Access::Push if reader == "ipxact" => ("w", None, None, false),
            Access::Select | Access::Walk if reader == "ipxact" => ("rw", None, None, false),
            Access::Push => ("w", Some("wuser"), None, false),
            Access::Select => ("rw", Some("wuser"), None, false),
            Access::Walk => ("rw", Some("wuser"), Some("ruser"), false),
        };
        let reset = (f.access.is_read() || pulse).then_some(f.reset);
        json!({
            "name": f.name, "lsb": f.lsb, "bits": f.bits, "sw": sw, "reset": reset, "onwrite": onwrite, "onread": onread,
            "pulse": pulse, "desc": f.doc,
        })
    };
    let registers = all(config).into_iter().map(|r| {
        let mut fields: Vec<Value> = r.fields.iter().map(field).collect();
        fields.sort_by_key(|f| f["lsb"].as_u64());
        json!({ "name": r.name, "offset": r.offset, "count": r.count, "desc": r.doc, "fields": fields })
    });
    registers.collect()
}

/// The same with every description in one form: readers join the lines of one.
fn plain(mut registers: Value) -> Value {
    let squeeze = |text: &mut Value| {
        if let Some(words) = text.as_str() {
            *text = words.split_whitespace().collect::<Vec<_>>().join(" ").into();
        }
    };
    for r in registers.as_array_mut().expect("registers") {
        squeeze(&mut r["desc"]);
        r["fields"].as_array_mut().expect("fields").iter_mut().for_each(|f| squeeze(&mut f["desc"]));
    }
    registers
}

#[test]
fn readers_of_systemrdl_and_of_ip_xact_find_the_table() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let large = std::fs::read_to_string("configs/edge-large.toml").expect("a configuration");
    let port = std::fs::read_to_string("configs/nano.toml").expect("a configuration");
    let configs = [
        scratch.file("large.toml", large.replace("bus_bits", "sessions = 8\nbus_bits")),
        scratch.file("port.toml", port.replace("bus_bits", "state_port = true\nbus_bits")),
    ];
    for path in configs {
        let folder = scratch.at("rtl");
        let told = json(&["rtl", "--config", &path, "-o", &folder]);
        let config = Config::load(Path::new(&path)).expect("a configuration");
        let found = tools.read("registers", &folder);
        for reader in ["rdl", "ipxact"] {
            let expected = plain(expected(&config, reader));
            let found = plain(found[reader].clone());
            let pairs = found.as_array().expect("registers").iter().zip(expected.as_array().expect("registers"));
            for (found, expected) in pairs {
                assert_eq!(found, expected, "{reader}");
            }
            assert_eq!(found, expected, "{reader}");
        }
        // the pages that others make of it
        tools.done(&folder, &command_of(&told, "registers.rdl"));
        tools.done(
            &folder,
            "peakrdl markdown registers.rdl -o registers.md && peakrdl c-header registers.rdl -o peakrdl.h",
        );
        let (markdown, header) = (read(&folder, "registers.md"), read(&folder, "peakrdl.h"));
        for r in all(&config) {
            assert!(markdown.contains(&format!("{} ", r.name)), "{}", r.name);
            for f in r.fields.iter().filter(|f| f.access.is_read()) {
                let (register, field) = (r.name.to_uppercase(), f.name.to_uppercase());
                let reset = format!("{register}__{field}_reset 0x{:x}", f.reset);
                assert!(header.contains(&reset), "{reset}");
            }
        }
        assert!(Path::new(&folder).join("registers-html/index.html").is_file());
        tools.done(&folder, &command_of(&told, "registers.h"));
        tools.done(&folder, &command_of(&told, "registers.py"));
        assert!(tools.done(&folder, &command_of(&told, "component.xml")).contains(".CTRL"));
    }
}

#[test]
fn the_component_follows_the_schema_and_has_every_port_and_file() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    for (name, config) in [("nano", "nano".to_string()), ("streamed", streamed(&scratch))] {
        let folder = scratch.at(name);
        let told = json(&["rtl", "--config", &config, "--prefix=my_", "-o", &folder]);
        let found = tools.read("component", &folder);
        assert_eq!(found["valid"], true, "{}", found["errors"]);

        let config = match name {
            "nano" => Config::load(Path::new("configs/nano.toml")),
            _ => Config::load(Path::new(&config)),
        };
        let top = rtl_gen::blocks::core::top(&config.expect("a configuration"));
        let mut expected: Vec<Value> =
            top.ports.iter().map(|p| json!({ "name": p.name, "input": p.dir == Dir::In, "bits": p.bits })).collect();
        let mut ports = found["ports"].as_array().expect("ports").clone();
        for list in [&mut expected, &mut ports] {
            list.sort_by_key(|p| p["name"].to_string());
        }
        assert_eq!(ports, expected);

        let buses = &found["buses"];
        for (bus, kind, is_master) in
            [("s_axil", "AXI4-Lite", false), ("m_axi", "AXI4", true), ("m_axis_logits", "AXI4Stream", true)]
        {
            assert_eq!((&buses[bus]["type"], &buses[bus]["master"]), (&kind.into(), &is_master.into()), "{bus}");
            for map in buses[bus]["maps"].as_array().expect("maps") {
                let [logical, physical] = [0, 1].map(|i| map[i].as_str().expect("a name"));
                let own = format!("{bus}_{}", logical.to_lowercase());
                assert!(physical == own || matches!(logical, "ACLK" | "ARESETn"), "{bus}: {logical} is {physical}");
            }
        }
        let signals: Vec<_> = buses.as_object().expect("buses").values().map(|b| b["type"].to_string()).collect();
        assert!(signals.contains(&"\"clock\"".into()) && signals.contains(&"\"reset\"".into()), "{signals:?}");

        // every file of the design, each once, but for the component itself, and the page, which is made last
        let (mut files, mut listed) = (strings(&found["files"]), strings(&told["files"]));
        listed.retain(|f| f != "component.xml" && f != "README.md");
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
        assert!(listed.iter().all(|f| Path::new(&folder).join(f).is_file()));

        // the reader does refuse
        super::change(&folder, "component.xml", "<ipxact:bitOffset>0</ipxact:bitOffset>", "");
        assert_eq!(tools.read("component", &folder)["valid"], false);
    }
}
