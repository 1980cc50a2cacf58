//! Every verb that needs no simulator: names and values of its JSON, its text for people.

use super::{done, has, json, list, number, refused, run, text, Scratch, SMALL};

#[test]
fn random_and_inspect_agree_on_any_shape() {
    let scratch = Scratch::new();
    for (args, expected) in [
        (SMALL, [2, 32, 2, 16, 256]),
        (&["--layers=1", "--embd=64", "--vocab=50"], [1, 64, 1, 64, 50]),
        (&["--layers=3", "--embd=48", "--head-size=16", "--vocab=1000", "--seed=5"], [3, 48, 3, 16, 1000]),
    ] {
        let path = scratch.at("m.safetensors");
        let written = json(&[&["random", "-o", &path], args].concat());
        let seen = json(&["inspect", &path]);
        let names = ["n_layer", "n_embd", "n_head", "head_size", "vocab_size"];
        assert_eq!(names.map(|n| seen[n].as_u64().expect("a size")), expected);
        assert_eq!(written["n_params"], seen["n_params"]);
        // a token reads at least a byte a weight, but one row of the embedding only
        let (params, embedding) = (number(&seen, "n_params"), (expected[1] * expected[4]) as f64);
        let bytes = number(&seen, "bytes_per_token");
        assert!(params - embedding < bytes && bytes < 2.0 * params, "{seen}");
    }
}

#[test]
fn random_depends_on_the_seed_alone() {
    let scratch = Scratch::new();
    let bytes = |name: &str, seed: &str| {
        let path = scratch.random(name, &[SMALL, &["--seed", seed]].concat());
        std::fs::read(path).expect("the checkpoint")
    };
    assert_eq!(bytes("a", "3"), bytes("b", "3"));
    assert_ne!(bytes("a", "3"), bytes("c", "4"));
    assert_eq!(scratch.names().len(), 3, "nothing else is left behind: {:?}", scratch.names());
}

#[test]
fn inspect_without_a_model_shows_the_projects_own() {
    let seen = json(&["inspect"]);
    has(&seen, "n_layer n_embd n_head head_size vocab_size n_params bytes_per_token");
    assert_eq!(seen["vocab_size"], 256);
    let shown = done(&["inspect"]);
    for name in ["n_layer", "n_embd", "parameters", "bytes a token"] {
        assert!(shown.contains(name), "`{name}` expected in {shown}");
    }
}

/// What other programs wrote: a Hugging Face folder, a GGUF file, rwkv.cpp's blocks.
#[test]
fn inspect_tells_the_form_of_a_checkpoint() {
    let forms = concat!(env!("CARGO_MANIFEST_DIR"), "/golden-model/tests/fixtures/forms/");
    let seen = |name: &str| json(&["inspect", &format!("{forms}{name}")]);
    let folder = seen("hugging-face");
    assert_eq!((&folder["format"], &folder["names"]), (&"safetensors".into(), &"hugging face".into()));
    assert_eq!((number(&folder, "norm_eps"), number(&folder, "group_norm_eps")), (1e-5, 8e-5));
    let words = |seen: &serde_json::Value, name: &str| seen[name].as_array().expect("a list").clone();
    assert_eq!((words(&folder, "dtypes"), words(&folder, "ignored")), (vec!["BF16".into()], vec![]));
    let gguf = seen("blocks.gguf");
    assert_eq!((&gguf["names"], &gguf["tokenizer"]), (&"gguf".into(), &"tokens of the file".into()));
    assert_eq!((number(&gguf, "group_norm_eps"), &gguf["tied_head"]), (64e-5, &false.into()));
    assert!(words(&gguf, "dtypes").contains(&"Q6_K".into()), "{gguf}");
    assert_eq!(words(&gguf, "ignored")[0], "blk.0.time_mix_v0.weight");
    assert_eq!(seen("blocks.bin")["format"], "ggmf");
    // the epsilons stay with the image
    let scratch = Scratch::new();
    let image = scratch.at("m.anser");
    done(&["quantize", &format!("{forms}hugging-face"), "-o", &image]);
    assert_eq!(number(&json(&["inspect", &image]), "group_norm_eps"), 8e-5);
}

#[test]
fn quantize_tells_size_and_error_of_every_tensor() {
    let scratch = Scratch::new();
    let (model, image) = (scratch.small(), scratch.at("m.anser"));
    let told = json(&["quantize", &model, "-o", &image, "--weights", "w8"]);
    assert_eq!(number(&told, "image_bytes"), std::fs::metadata(&image).expect("the image").len() as f64);
    let errors = told["errors"].as_array().expect("a list");
    assert!(errors.iter().any(|e| e["tensor"] == "blocks.1.ffn.value.weight"), "{told}");
    for error in errors {
        assert!((0.0..0.02).contains(&number(error, "relative_rms")), "{error}");
    }
    let seen = json(&["inspect", &image]);
    assert_eq!(seen["n_params"], json(&["inspect", &model])["n_params"]);
}

#[test]
fn four_bits_go_through_an_image() {
    let scratch = Scratch::new();
    let (model, image) = (scratch.small(), scratch.at("m.anser"));
    let words = scratch.file("words.txt", "The quick brown fox jumps over the lazy dog.");
    let w8 = number(&json(&["quantize", &model, "-o", &image]), "image_bytes");
    let numbers = ["--weights=w4", "--round=gptq", "--head=w8", "--calibrate", &words];
    let told = json(&[&["quantize", &model, "-o", &image], &numbers[..]].concat());
    for (name, value) in [("weights", "w4"), ("head", "w8"), ("scales", "search"), ("round", "gptq")] {
        assert_eq!(told[name], value, "{told}");
    }
    assert!(number(&told, "image_bytes") < w8, "{told}");
    let generate = ["--backend=golden", "--prompt=ab", "--tokens=8"];
    let text =
        |model: &str, more: &[&str]| json(&[&["generate", model], &generate[..], more].concat())["tokens"].clone();
    assert_eq!(text(&image, &[]), text(&model, &numbers));
    let eval = |model: &str, more: &[&str]| {
        number(&json(&[&["eval", model, "--backend=golden", "--text", &words], more].concat()), "bits_per_byte")
    };
    assert_eq!(eval(&image, &[]), eval(&model, &numbers));
}

#[test]
fn generate_takes_text_or_numbers_on_both_models_of_software() {
    let scratch = Scratch::new();
    let model = scratch.small();
    for backend in ["float", "golden"] {
        let args = ["generate", &model, "--backend", backend, "--tokens", "6"];
        let told = json(&[&args[..], &["--prompt", "-ab"]].concat());
        has(&told, "prompt_tokens tokens text backend");
        assert_eq!(list(&told, "prompt_tokens"), [45.0, 97.0, 98.0]);
        assert_eq!(list(&told, "tokens").len(), 6);
        assert_eq!(told["backend"], backend);
        assert_eq!(told, json(&[&args[..], &["--prompt-tokens", "45,97, 98"]].concat()));
        // for people: prompt and text as they come, and a line end
        let out = run(&[&args[..], &["--prompt", "-ab"]].concat());
        let bytes = list(&told, "tokens").into_iter().map(|t| t as u8);
        assert_eq!(out.stdout, [b"-ab".to_vec(), bytes.collect(), b"\n".to_vec()].concat());
        assert_eq!(text(&out.stderr), "");
    }
}

#[test]
fn sampling_is_the_seeds_and_nothing_elses() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let tokens = |more: &[&str]| {
        let args = ["generate", &model, "--backend", "golden", "--prompt", "a", "--tokens", "24"];
        list(&json(&[&args[..], more].concat()), "tokens")
    };
    let greedy = tokens(&[]);
    assert_eq!(greedy, tokens(&["--temperature", "2", "--top-p", "1e-9"]), "only the likeliest token is left");
    let hot = ["--temperature", "1.5", "--seed"];
    assert_eq!(tokens(&[&hot[..], &["1"]].concat()), tokens(&[&hot[..], &["1"]].concat()));
    assert_ne!(tokens(&[&hot[..], &["1"]].concat()), tokens(&[&hot[..], &["2"]].concat()));
    assert_ne!(tokens(&[&hot[..], &["1"]].concat()), tokens(&[&hot[..], &["1", "--top-p", "0.3"]].concat()));
}

#[test]
fn logits_belong_to_the_token_that_generate_picks() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let of = |backend| json(&["logits", &model, "--backend", backend, "--tokens", "7,8,9"]);
    let (float, golden) = (of("float"), of("golden"));
    let next = json(&["generate", &model, "--backend", "golden", "--prompt-tokens", "7,8,9", "--tokens", "1"]);
    assert_eq!(golden["argmax"], next["tokens"][0]);
    let (float, golden) = (list(&float, "logits"), list(&golden, "logits"));
    assert_eq!((float.len(), golden.len()), (256, 256));
    let largest = float.iter().zip(&golden).map(|(f, g)| (f - g).abs()).fold(0.0, f64::max);
    assert!(largest > 0.0 && largest < 0.2, "integers differ from float by up to {largest}");
}

#[test]
fn eval_reads_text_numbers_or_the_projects_own_text() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let (words, tokens) = (scratch.file("t.txt", "To be, or not"), scratch.file("t.num", "84 111,32\n98 101"));
    let eval = |more: &[&str]| json(&[&["eval", &model, "--backend", "golden"], more].concat());
    let told = eval(&["--text", &words]);
    has(&told, "n_tokens bits_per_token bits_per_byte top1_agreement loss_bits_per_token kl");
    for loss in ["bits_per_token_se", "loss_bits_per_token_se", "kl_se"] {
        assert!(number(&told, loss) > 0.0, "{told}");
    }
    let said = done(&["eval", &model, "--backend=golden", "--text", &words]);
    assert_eq!(said.matches(" ± ").count(), 4, "bits, loss, top-1 and KL have their errors: {said}");
    assert_eq!(told["n_tokens"], 12);
    let bits = number(&told, "bits_per_token");
    assert!(bits > 4.0 && bits < 20.0 && bits == number(&told, "bits_per_byte"), "{told}");
    assert!(number(&told, "top1_agreement") > 0.5 && (0.0..0.1).contains(&number(&told, "kl")), "{told}");
    let short = eval(&["--text", &words, "--max-tokens", "5"]);
    assert_eq!(short["n_tokens"], 4);
    assert_eq!(short, eval(&["--token-file", &tokens]), "the same five tokens");
    assert_eq!(eval(&["--max-tokens", "30"])["n_tokens"], 29);
    let float = json(&["eval", &model, "--backend", "float", "--text", &words]);
    assert_eq!((number(&float, "top1_agreement"), number(&float, "kl")), (1.0, 0.0));
}

#[test]
fn the_projects_model_has_learnt_its_text() {
    let told = json(&["eval", "--backend", "golden", "--max-tokens", "400"]);
    assert!(number(&told, "bits_per_byte") < 3.0, "{told}");
    assert!(number(&told, "top1_agreement") > 0.95 && number(&told, "kl") < 0.01, "{told}");
}

#[test]
fn a_vocabulary_without_text_speaks_in_numbers() {
    let scratch = Scratch::new();
    let model = scratch.random("n.safetensors", &["--layers=1", "--embd=32", "--head-size=16", "--vocab=50"]);
    let told = json(&["generate", &model, "--backend", "golden", "--prompt-tokens", "1,49", "--tokens", "3"]);
    let spoken: Vec<String> = list(&told, "tokens").iter().map(|t| format!("{t} ")).collect();
    assert_eq!(told["text"], spoken.concat());
    let tokens = scratch.file("t", "1 2 3 4");
    let told = json(&["eval", &model, "--backend", "golden", "--token-file", &tokens]);
    assert!(told["bits_per_byte"].is_null() && number(&told, "bits_per_token") > 0.0, "{told}");
}

#[test]
fn the_world_vocabulary_reads_words() {
    let scratch = Scratch::new();
    let args = ["--layers=1", "--embd=16", "--head-size=16", "--vocab=65536", "--ffn=16"];
    let model = scratch.random("w.safetensors", &args);
    let told = json(&["generate", &model, "--backend", "float", "--prompt", "Hello world", "--tokens", "2"]);
    let prompt = list(&told, "prompt_tokens");
    assert_eq!(prompt, [33155.0, 40213.0], "two tokens, not eleven bytes");
    let args = ["eval", &model, "--backend", "float", "--max-tokens", "3"];
    let told = json(&args);
    assert!(number(&told, "bits_per_byte") < number(&told, "bits_per_token"), "{told}");
}

#[test]
fn bench_tells_speed() {
    let scratch = Scratch::new();
    let model = scratch.small();
    for backend in ["float", "golden"] {
        let told = json(&["bench", &model, "--backend", backend, "--tokens", "4"]);
        assert!(number(&told, "tokens_per_s") > 0.0, "{told}");
        assert!(done(&["bench", &model, "--backend", backend, "--tokens", "4"]).contains("tokens/s"));
    }
    let several = ["bench", &model, "--backend", "golden", "--tokens", "2", "--sessions", "3"];
    let told = json(&several);
    assert!(number(&told, "sessions_tokens_per_s") > 0.0 && told["sessions"] == 3, "{told}");
    assert!(done(&several).contains("3 conversations at once"));
}

#[test]
fn explore_sweeps_every_combination() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let page = scratch.at("page");
    let args = ["explore", &model, "--bus=128,256", "--clock=50,100", "--weights=w8,w4", "--memory=ideal", "-o", &page];
    let told = json(&args);
    has(&told, "model n_layer n_params points left_out");
    let points = told["points"].as_array().expect("a list");
    assert_eq!(points.len(), 8);
    for p in points {
        has(p, "config bus_bits clock_mhz weights cycles_per_token utilisation tokens_per_s multipliers memory_bits pareto");
        assert!(number(p, "utilisation") > 0.1 && number(p, "utilisation") < 1.0, "{p}");
    }
    assert!(points.iter().any(|p| p["pareto"] == true) && points.iter().any(|p| p["pareto"] == false));
    assert!(std::path::Path::new(&page).join("index.html").exists() && done(&args).contains("multipliers"));
    // what no model needs is left out by name, whether it came as an option or from a file
    let mixed = json(&["explore", &model, "--bus=128,1024"]);
    let left_out = mixed["left_out"][0].as_str().expect("a reason");
    assert!(left_out.contains("bus_bits = 1024, expected 128, 256 or 512"), "{left_out}");
    let nano = std::fs::read_to_string(format!("{}/configs/nano.toml", env!("CARGO_MANIFEST_DIR"))).expect("a file");
    let wide = scratch.file("wide.toml", nano.replace("bus_bits = 128", "bus_bits = 1024"));
    for args in [&["--bus=1024"][..], &["--config", &wide]] {
        refused(&[&["explore", &model], args].concat(), &["bus_bits = 1024", "expected 128, 256 or 512"]);
    }
    refused(&["explore", &model, "--clock=0"], &["clock_mhz = 0"]);
    refused(&["explore", &model, "--sessions=3"], &["sessions = 3"]);
    refused(&["explore", &model, "--state-bits=40"], &["state_bits = 40"]);
    refused(&["explore", &model, "--weights=auto"], &["--weights auto", "w8 or w4"]);
    refused(&["explore", "--layers=2", "--embd=100", "--head-size=50"], &["head_size 50"]);
    // a model that is too large is told which configuration serves it
    refused(&["explore", "--layers=24", "--embd=2048"], &["limits.vmem_elements", "try --config edge-large"]);
}

#[test]
fn help_explains_every_argument() {
    let verbs = "|inspect|random|quantize|generate|chat|logits|eval|rtl|cosim|bench|explore|report latency|report accuracy|report power|\
                 report asic|report all|report tracking|fpga build|fpga simulate|fpga run|fpga overlay|fpga bus|fpga estimate";
    for verb in verbs.split('|') {
        let args: Vec<&str> = verb.split(' ').filter(|v| !v.is_empty()).chain(["-h"]).collect();
        let help = done(&args);
        assert!(help.contains("Examples:\n  anser "), "{verb}: no examples\n{help}");
        // an explanation that goes on in the next line may begin that line with a flag; it is indented further
        let heads = help.lines().filter(|l| l.len() - l.trim_start().len() <= 6);
        let lines: Vec<&str> = heads.map(str::trim).collect();
        let own_line = |l: &str| l.starts_with("[default") || l.starts_with("[possible values");
        for line in lines.iter().filter(|l| l.starts_with('-') || (l.starts_with('[') && !own_line(l))) {
            let columns = line.chars().count();
            assert!(columns <= 100, "{verb}: {columns} columns\n{line}");
            assert!(line.split("  ").filter(|w| !w.is_empty()).count() > 1, "{verb}: no explanation of {line}\n{help}");
        }
    }
}

#[test]
fn what_many_verbs_share_is_explained_once() {
    let topics = [("chip", "--stall", "generate"), ("formats", "--scales", "cosim")];
    for (topic, option, verb) in topics {
        let page = done(&["help", topic]);
        assert!(page.contains(option) && page == done(&[topic]), "{page}");
        for flag in ["-h", "--help"] {
            let help = done(&[verb, flag]);
            let (before, pointer) = help.split_once(&format!("anser help {topic}")).unwrap_or((&help, ""));
            assert!(!before.contains(option), "{verb} {flag} explains {option}, which the topic does\n{help}");
            assert_eq!(pointer.matches(option).count(), 1, "{verb} {flag}: {option}\n{help}");
        }
    }
    assert!(done(&["quantize", "-h"]).contains("  --scales <SCALES>"), "its subject");
}
