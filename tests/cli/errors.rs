//! What cannot be done is refused in one sentence that names the file or limit and what was expected.

use super::files::Checkpoint;
use super::{anser, done, refused, run, text, Scratch, SMALL};

#[test]
fn files_that_are_no_model() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let bytes = std::fs::read(&small).expect("the checkpoint");
    let empty = scratch.file("empty.pth", "");
    let cut = scratch.file("cut.safetensors", &bytes[..bytes.len() / 2]);
    let head = scratch.file("head.safetensors", &bytes[..100]);
    let garbage = scratch.file("garbage.bin", (0..5000u32).map(|i| ((i * i * 31) >> 5) as u8).collect::<Vec<_>>());
    for verb in [
        &["inspect"][..],
        &["quantize", "-o", "/dev/null/x"],
        &["generate", "--backend=golden", "--prompt=a", "--tokens=1"],
        &["cosim", "--prompt=a", "--tokens=1"],
        &["eval", "--backend=float"],
    ] {
        let with = |file: &str, words: &[&str]| refused(&[verb, &[file]].concat(), &[&[file], words].concat());
        with(&scratch.at("missing.pth"), &["No such file"]);
        with(scratch.path().to_str().expect("UTF-8"), &["is a folder without model.safetensors", "name the file"]);
        with(&empty, &["is empty", "expected"]);
        with(&cut, &["tensor", "bytes"]);
        with(&head, &["damaged", "safetensors"]);
        with(&garbage, &["no checkpoint", "expected"]);
    }
}

#[test]
fn checkpoints_that_are_no_rwkv7() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let old = Checkpoint::read(&small).renamed(|name| {
        let leaf = name.rsplit("att.").next().unwrap_or("");
        match leaf {
            "w0" => Some(name.replace("w0", "time_decay")),
            "x_r" => Some(name.replace("x_r", "time_mix_r")),
            _ if name.contains("att.") && !leaf.ends_with("weight") => None,
            _ if name.contains("ln_x") => None,
            _ => Some(name.into()),
        }
    });
    let old = scratch.file("rwkv4.safetensors", old.bytes());
    refused(&["inspect", &old], &["rwkv4.safetensors", "RWKV-4", "time_decay", "expected RWKV-7"]);
    let lacking = Checkpoint::read(&small).renamed(|n| (n != "ln_out.bias").then(|| n.into()));
    let lacking = scratch.file("lacking.safetensors", lacking.bytes());
    refused(&["inspect", &lacking], &["lacking.safetensors", "ln_out.bias is missing"]);
    let shape = Checkpoint::read(&small).reshaped("blocks.1.ffn.key.weight", &[32, 48]);
    let shape = scratch.file("shape.safetensors", shape.bytes());
    refused(&["inspect", &shape], &["blocks.1.ffn.key.weight", "(32, 48)", "expected", "(48, 32)"]);
}

#[test]
fn numbers_that_are_none() {
    let scratch = Scratch::new();
    let small = scratch.small();
    for (bits, shown) in [(0x7e00, "NaN"), (0x7c00, "inf")] {
        let broken = Checkpoint::read(&small).patched("blocks.0.att.key.weight", 32 + 3, bits).bytes();
        let broken = scratch.file("broken.safetensors", broken);
        let words = ["broken.safetensors", "blocks.0.att.key.weight", shown, "1, 3", "finite"];
        let image = scratch.at("broken.anser");
        refused(&["quantize", &broken, "-o", &image], &words);
        refused(&["generate", &broken, "--backend=float", "--prompt=a", "--tokens=1"], &words);
        assert!(!std::path::Path::new(&image).exists());
    }
}

#[test]
fn images_that_are_damaged_or_misused() {
    let scratch = Scratch::new();
    let (small, image) = (scratch.small(), scratch.at("m.anser"));
    super::done(&["quantize", &small, "-o", &image]);
    let bytes = std::fs::read(&image).expect("the image");
    let cut = scratch.file("cut.anser", &bytes[..bytes.len() - 1]);
    refused(&["inspect", &cut], &["cut.anser", "bytes, expected", "incomplete"]);
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let flipped = scratch.file("flipped.anser", flipped);
    refused(&["inspect", &flipped], &["flipped.anser", "checksum", "damaged"]);
    let mut newer = bytes;
    newer[8] = 99;
    let newer = scratch.file("newer.anser", newer);
    refused(&["inspect", &newer], &["newer.anser", "version 99, expected 1"]);

    let float = ["needs the checkpoint"];
    refused(&["generate", &image, "--backend=float", "--prompt=a", "--tokens=1"], &float);
    refused(&["logits", &image, "--backend=float", "--tokens=1"], &float);
    refused(&["eval", &image, "--backend=float"], &float);
    refused(&["eval", &image, "--backend=golden", "--calibrate", &small], &["--calibrate needs the checkpoint"]);
    refused(&["eval", &image, "--backend=golden", "--weights=w4"], &["--weights needs the checkpoint"]);
    refused(&["quantize", &small, "-o", &image, "--weights=w4", "--round=gptq"], &["--round gptq", "--calibrate FILE"]);
    refused(&["quantize", &image, "-o", &scratch.at("n.anser")], &["m.anser", "expected a checkpoint"]);
}

#[test]
fn narrow_operands_on_the_chip() {
    let scratch = Scratch::new();
    let (small, image) = (scratch.small(), scratch.at("m.anser"));
    super::done(&["quantize", &small, "-o", &image, "--operand-bits=10"]);
    let words = ["10 bits", "golden", "expected 16"];
    refused(&["generate", &image, "--backend=rtl", "--prompt=a", "--tokens=1"], &words);
    refused(&["rtl", &image, "-o", &scratch.at("rtl")], &words);
    let words = ["--operand-bits 10", "golden", "expected 16"];
    refused(&["cosim", &small, "--operand-bits=10", "--prompt=a", "--tokens=1"], &words);
    refused(&["eval", &image, "--backend=golden", "--operand-bits=10"], &["--operand-bits needs the checkpoint"]);
    refused(&["eval", &small, "--backend=golden", "--operand-bits=3"], &["--operand-bits", "4..=16"]);
}

#[test]
fn tokens_and_texts() {
    let scratch = Scratch::new();
    let (small, empty) = (scratch.small(), scratch.file("empty.txt", ""));
    let generate = |more: &[&str], words: &[&str]| {
        refused(&[&["generate", &small, "--backend=golden"], more].concat(), words);
    };
    generate(&["--prompt", "", "--tokens=1"], &["--prompt", "empty", "at least one token"]);
    generate(&["--prompt-tokens", "", "--tokens=1"], &["--prompt-tokens", "expected token numbers"]);
    generate(&["--prompt-tokens=1,256", "--tokens=1"], &["token 256", "expected 0 to 255"]);
    generate(&["--prompt-tokens", "-1", "--tokens=1"], &["--prompt-tokens", "expected token numbers"]);
    generate(&["--prompt-tokens=1,x", "--tokens=1"], &["'x'", "expected token numbers"]);
    generate(&["--prompt=a", "--tokens=0"], &["--tokens", "0 is not in 1.."]);
    generate(&["--prompt=a", "--tokens=18446744073709551615"], &["--tokens", "too large"]);
    generate(&["--tokens=1"], &["--prompt"]);
    generate(&["--prompt=a", "--prompt-tokens=1", "--tokens=1"], &["--prompt-tokens"]);
    generate(&["--prompt=a", "--tokens=1", "--temperature", "-1"], &["--temperature -1", "expected 0 or more"]);
    generate(&["--prompt=a", "--tokens=1", "--temperature", "nan"], &["--temperature", "expected 0 or more"]);
    generate(&["--prompt=a", "--tokens=1", "--temperature=1", "--top-p", "1.5"], &["--top-p 1.5", "up to 1"]);
    generate(&["--prompt=a", "--tokens=1", "--calibrate", &empty], &["empty.txt", "expected text"]);
    refused(&["bench", &small, "--backend=float", "--sessions=2"], &["--sessions", "--backend golden"]);
    generate(&["--prompt=a", "--tokens=1", "--trace", "x.fst"], &["--trace", "--backend rtl"]);
    refused(&["logits", &small, "--backend=golden", "--tokens=300"], &["token 300", "expected 0 to 255"]);
    refused(&["bench", &small, "--backend=golden", "--tokens=0"], &["--tokens", "0 is not in 1.."]);

    let eval = |more: &[&str], words: &[&str]| {
        refused(&[&["eval", &small, "--backend=golden"], more].concat(), words);
    };
    let words = scratch.file("words.num", "1 2 three");
    let wild = scratch.file("wild.num", "1 2 300");
    eval(&["--text", &empty], &["empty.txt", "at least one token"]);
    eval(&["--text", &scratch.at("none.txt")], &["none.txt", "No such file"]);
    eval(&["--token-file", &words], &["words.num", "expected token numbers"]);
    eval(&["--token-file", &wild], &["wild.num", "token 300", "expected 0 to 255"]);
    eval(&["--text", &words, "--max-tokens=1"], &["words.num", "expected at least 2"]);
    eval(&["--text", &words, "--token-file", &words], &["--token-file"]);

    let numbers = scratch.random("n.safetensors", &["--layers=1", "--embd=32", "--head-size=16", "--vocab=50"]);
    refused(&["eval", &numbers, "--backend=golden"], &["vocabulary of 50", "--token-file"]);
    let hello = ["generate", &numbers, "--backend=golden", "--prompt=hello", "--tokens=1"];
    refused(&hello, &["vocabulary of 50", "hello"]);
}

#[test]
fn options_that_a_backend_would_ignore() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let text = ["--prompt=a", "--tokens=1"];
    for backend in ["float", "golden"] {
        let generate = |option: &[&str], words: &[&str]| {
            refused(&[&["generate", &small, "--backend", backend], &text[..], option].concat(), words);
        };
        generate(&["--stall", "0.2"], &["--stall 0.2", "expected --backend rtl"]);
        generate(&["--config", "none-such"], &["--config none-such", "there is no such configuration"]);
        generate(&["--sessions", "2"], &["--sessions 2", "expected --backend rtl"]);
        generate(&["--skip-columns"], &["--skip-columns:", "expected --backend rtl"]);
        generate(&["--top-p", "0.5"], &["--top-p 0.5", "expected --temperature"]);
    }
    refused(
        &["eval", &small, "--backend=float", "--weights=w4"],
        &["--weights w4", "floats", "expected --backend golden"],
    );
    refused(&["cosim", &small, "--prompt=a", "--tokens=1", "--state-bits=20"], &["--state-bits 20", "--config"]);
    refused(&["rtl", "--weights=w4", "-o", &scratch.at("rtl")], &["--weights w4", "expected a MODEL"]);
    assert_eq!(scratch.names().len(), 1, "nothing is written: {:?}", scratch.names());
}

#[test]
fn configurations() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let nano = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/configs/nano.toml")).expect("nano");
    for (from, to, words) in [
        ("clock_mhz = 100", "clock_mhz = 100\nvoltage = 3", &["line 4", "unknown field `voltage`", "clock_mhz"][..]),
        ("bus_bits = 128", "bus_bits = 100", &["bus_bits = 100", "expected 128, 256 or 512"]),
        ("bus_bits = 128", "bus_bits =", &["line 4"]),
        ("state_bits = 24", "state_bits = 40", &["state_bits = 40", "expected 16 to 32"]),
        ("n_embd = 256", "", &["missing field `n_embd`"]),
        ("n_embd = 256", "n_embd = 250", &["limits.n_embd = 250", "multiple of 16"]),
        ("bytes_per_cycle = 16", "bytes_per_cycle = 0", &["memory.bytes_per_cycle = 0", "expected 0.01 or more"]),
        ("refresh_cycles = 0", "refresh_cycles = 780", &["memory.refresh_cycles = 780", "expected below"]),
    ] {
        assert!(nano.contains(from), "{from}");
        let config = scratch.file("my.toml", nano.replace(from, to));
        refused(&["rtl", "--config", &config, "-o", &scratch.at("rtl")], &[&["my.toml"], words].concat());
    }
    let missing = scratch.at("none.toml");
    for (config, words) in [("nope", &["--config nope", "nano", ".toml"][..]), (&missing, &["none.toml", "No such"])] {
        refused(&["rtl", "--config", config, "-o", &scratch.at("rtl")], words);
        refused(&["cosim", &small, "--prompt=a", "--tokens=1", "--config", config], words);
    }
}

#[test]
fn models_beyond_a_limit() {
    let scratch = Scratch::new();
    let cosim = |model: &str, words: &[&str]| {
        refused(&["cosim", model, "--config=nano", "--prompt-tokens=1", "--tokens=1"], words);
        refused(&["rtl", model, "--config=nano", "-o", &scratch.at("rtl")], words);
    };
    let wide = scratch.random("wide.safetensors", &["--layers=1", "--embd=512", "--vocab=16", "--ffn=64"]);
    cosim(&wide, &["n_embd = 512", "nano has 256"]);
    let shape = ["--layers=8", "--embd=256", "--head-size=64", "--vocab=16", "--ffn=64"];
    let deep = scratch.random("deep.safetensors", &shape);
    cosim(&deep, &["state_elements = 131072", "nano has 65536"]);
}

#[test]
fn stalls_are_probabilities() {
    for bad in ["1.5", "1", "-0.1", "nan", "often"] {
        refused(&["cosim", "--prompt=a", "--tokens=1", "--stall", bad], &["--stall", bad, "from 0 to below 1"]);
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let folder = scratch.path().to_str().expect("UTF-8");
    let nowhere = scratch.at("no/such/folder/file");
    for verb in [&["random", "--layers=1", "--embd=64", "--vocab=16"][..], &["quantize", &small]] {
        refused(&[verb, &["-o", folder]].concat(), &[folder, "is a folder", "expected a file"]);
        refused(&[verb, &["-o", &nowhere]].concat(), &[&nowhere, "cannot be written"]);
    }
    let cosim = ["cosim", &small, "--prompt=a", "--tokens=1", "--trace"];
    refused(&[&cosim[..], &[folder]].concat(), &[folder, "is a folder"]);
    refused(&[&cosim[..], &[&nowhere]].concat(), &[&nowhere, "cannot be written"]);
    for verb in [&["rtl"][..], &["report", "latency", &small]] {
        refused(&[verb, &["-o", &small]].concat(), &[&small, "is a file", "expected a folder"]);
        refused(&[verb, &["-o", "/dev/null/x"]].concat(), &["/dev/null/x", "cannot be written"]);
    }
    assert_eq!(scratch.names().len(), 1, "nothing is left behind: {:?}", scratch.names());
}

#[test]
fn names_that_say_another_format() {
    let random = ["random", "--layers=1", "--embd=64", "--vocab=16", "-o"];
    for (verb, name, format) in [
        (&random[..], "r.pth", "safetensors"),
        (&random, "r.anser", "safetensors"),
        (&["quantize", "-o"], "q.safetensors", "anser"),
        (&["quantize", "-o", "q.anser", "--report"], "q.json", "html"),
        (&["report", "accuracy", "-o"], "a.json", "html"),
        (&["report", "tracking", "-o"], "t.json", "html"),
        (&["cosim", "--prompt=a", "--tokens=1", "--trace"], "w.vcd", "fst"),
    ] {
        refused(&[verb, &[name]].concat(), &[name, format, "expected a name that ends in"]);
        assert!(!std::path::Path::new(name).exists(), "{name}");
    }
    // a device has no format
    done(&[&random[..], &[&Scratch::new().device()]].concat());
}

/// Output through a link, into a pipe and into a device by each writer of large files.
#[test]
fn outputs_go_into_what_the_name_stands_for() {
    use std::os::unix::fs::{symlink, FileTypeExt};
    let scratch = Scratch::new();
    let (link, pipe, device) = (scratch.at("link"), scratch.at("pipe"), scratch.device());
    let small = scratch.small();
    symlink("store", &link).expect("a link");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let random = [&["random"][..], SMALL].concat();
    for verb in [&random[..], &["quantize", &small]] {
        let to = |path: &str| done(&[verb, &["-o", path]].concat());
        to(&link);
        let stored = std::fs::read(scratch.path().join("store")).expect("the file behind the link");
        assert!(std::fs::symlink_metadata(&link).expect("a link").is_symlink());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).expect("the pipe")
        });
        to(&pipe);
        assert!(reader.join().expect("a reader") == stored, "{verb:?}");
        assert!(std::fs::symlink_metadata(&pipe).expect("a pipe").file_type().is_fifo());
        to(&device);
        assert!(std::fs::metadata(&device).expect("a device").file_type().is_char_device());
    }
}

#[test]
fn shapes_that_make_no_network() {
    let scratch = Scratch::new();
    let path = scratch.at("x.safetensors");
    for (args, words) in [
        (&["--layers=1", "--embd=64", "--head-size=30"][..], &["head-size 30 does not divide embd 64"][..]),
        (&["--layers=0", "--embd=64"], &["layers is 0, expected 1"]),
        (&["--layers=1", "--embd=64", "--ranks=1,2,3"], &["--ranks", "expected four numbers"]),
        (&["--layers=1", "--embd=64", "--ffn=0"], &["ffn", "empty"]),
        (&["--layers=1", "--embd=64", "--ffn=18446744073709551615"], &["parameters"]),
    ] {
        refused(&[&["random", "--vocab=16", "-o", &path], args].concat(), words);
    }
    assert!(scratch.names().is_empty());
}

#[test]
fn tools_that_are_missing_are_named_before_the_work_and_nothing_is_left() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let folder = scratch.at("new/folder");
    let simulators: [&[&str]; 6] = [
        &["cosim", &small, "--prompt=a", "--tokens=1"],
        &["generate", &small, "--backend=rtl", "--prompt=a", "--tokens=1"],
        &["eval", &small, "--backend=rtl", "--max-tokens=2"],
        &["report", "latency", &small, "-o", &folder],
        &["report", "power", &small, "-o", &folder],
        &["fpga", "simulate", &small, "--prompt=a", "--tokens=1", "-o", &folder],
    ];
    let synthesis: [&[&str]; 4] = [
        &["report", "asic", "-o", &folder],
        &["report", "power", &small, "-o", &folder],
        &["fpga", "build", "-o", &folder],
        &["fpga", "estimate", "-o", &folder],
    ];
    let timing: [&[&str]; 1] = [&["report", "asic", "-o", &folder]];
    let place: [&[&str]; 1] = [&["fpga", "build", "-o", &folder]];
    for (variable, verbs) in [
        ("ANSER_VERILATOR_ROOT", &simulators[..]),
        ("CXX", &simulators),
        ("ANSER_YOSYS", &synthesis),
        ("ANSER_STA", &timing),
        ("ANSER_NEXTPNR_ECP5", &place),
        ("ANSER_ECPPACK", &place),
    ] {
        for args in verbs {
            let out = anser().args(*args).env(variable, "/no/such/tool").output().expect("it starts");
            let said = text(&out.stderr);
            assert_eq!(out.status.code(), Some(2), "{variable}, anser {args:?}\n{said}");
            // one line: nothing was begun
            let named = said.contains("/no/such/tool") && (said.contains("scripts/setup") || said.contains("apt-get"));
            assert!(said.lines().count() == 1 && named, "{variable}, anser {args:?}\n{said}");
            assert_eq!(scratch.names().len(), 1, "{variable}, anser {args:?} left {:?}", scratch.names());
        }
    }
}

#[test]
fn usage_errors_are_short() {
    for args in
        [&["generate", "--prompt=a"][..], &["fly"], &["inspect", "a", "b"], &["quantize", "-o", "x", "--weights=w5"]]
    {
        refused(args, &["--help"]);
    }
    assert_eq!(run(&[]).status.code(), Some(2));
}
