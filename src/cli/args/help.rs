//! Help: examples of each verb, and the options that many verbs share, which are shown once as a topic.

use super::model::{Numbers, NUMBERS};
use super::run::{Chip, CHIP_OPTIONS};
use clap::{Arg, Args, Command};

/// Examples of a verb: a command line that works, and what it does.
type Examples = &'static [(&'static str, &'static str)];

const EXAMPLES: &[(&str, Examples)] = &[
    (
        "",
        &[
            ("anser generate --backend rtl --prompt ROMEO: --tokens 16", "text from the simulated chip"),
            ("anser quantize model.pth -o model.anser", "a checkpoint to an image"),
            ("anser cosim --prompt ROMEO: --tokens 4 --stall 0.2", "compare under random stalls"),
            ("anser rtl --config nano -o build/nano", "the Verilog"),
            ("anser report latency -o build/latency", "where the cycles go"),
        ],
    ),
    (
        "inspect",
        &[
            ("anser inspect", "the model that comes with the project"),
            ("anser inspect model.pth --json", "another one, for a program to read"),
        ],
    ),
    (
        "random",
        &[(
            "anser random --layers 12 --embd 768 --vocab 65536 -o random.safetensors",
            "the shape of the released 0.1B model",
        )],
    ),
    (
        "quantize",
        &[
            ("anser quantize model.pth -o model.anser", "8 bits a weight"),
            (
                "anser quantize model.pth -o model.anser --weights w4 --round gptq --calibrate text.txt",
                "4 bits, rounded on a text",
            ),
            ("anser quantize model.pth -o model.anser --strict", "fails if the network has lost its meaning"),
            (
                "anser quantize m.pth -o m.anser --weights auto --budget 4.5 --branch 0 --calibrate text.txt",
                "each matrix as it needs",
            ),
        ],
    ),
    (
        "generate",
        &[
            ("anser generate --backend golden --prompt ROMEO: --tokens 64", "in software, as the chip computes"),
            ("anser generate --backend rtl --config nano --prompt ROMEO: --tokens 16", "on the simulated chip"),
            (
                "anser generate --backend float --prompt ROMEO: --tokens 64 --temperature 0.8 --seed 1",
                "with chance, in floats",
            ),
            ("anser generate --backend golden --prompt-file - --stop KING --tokens 200", "from a pipe, up to a word"),
            ("anser generate --backend golden --prompt ROMEO: --tokens 64 --save-state romeo", "to be continued"),
            ("anser generate --backend golden --state romeo --tokens 64", "goes on as if it had never stopped"),
        ],
    ),
    (
        "chat",
        &[
            ("anser chat", "with the built-in model, which goes on in Shakespeare's manner"),
            ("anser chat model.pth --temperature 0.8 --top-p 0.5", "with chance"),
            ("anser chat --backend rtl --config nano --tokens 32", "with the simulated chip"),
            ("anser chat --state monday --save-state monday", "where it was left, and kept for the next time"),
        ],
    ),
    (
        "logits",
        &[
            ("anser logits --backend golden --tokens 82,79 --json", "after the tokens R and O of the built-in model"),
            ("anser logits --backend golden --tokens 82,79 --all -o logits.npy", "after each of them, for NumPy"),
        ],
    ),
    (
        "eval",
        &[
            ("anser eval --backend golden --max-tokens 2000", "the built-in model on text it has not seen"),
            ("anser eval model.pth --backend golden --weights w4 --text text.txt", "4 bits a weight against float"),
        ],
    ),
    (
        "rtl",
        &[
            ("anser rtl --config nano -o build/nano", "the design"),
            ("anser rtl model.pth --config edge -o build/edge", "with image, programs and a bench"),
        ],
    ),
    (
        "cosim",
        &[
            ("anser cosim --prompt ROMEO: --tokens 4 --stall 0.2 --seed 7", "under random stalls"),
            ("anser cosim --prompt R --tokens 0 --trace wave.fst", "one token, with its waveform"),
        ],
    ),
    (
        "bench",
        &[
            ("anser bench --backend golden", "the integer model in software"),
            ("anser bench --backend rtl --config nano --sessions 8", "eight texts at once on the simulated chip"),
        ],
    ),
    (
        "explore",
        &[
            (
                "anser explore --bus 128,256,512 --clock 100,200 --weights w8,w4 -o build/explore",
                "twelve chips for the built-in model",
            ),
            (
                "anser explore --layers 12 --embd 768 --config edge --memory edge,ideal",
                "the shape of the released 0.1B model",
            ),
        ],
    ),
    (
        "report latency",
        &[("anser report latency --config nano -o build/latency", "the built-in model, page build/latency/index.html")],
    ),
    ("report accuracy", &[("anser report accuracy --max-tokens 4096 -o build/accuracy.html", "the built-in model")]),
    (
        "report power",
        &[
            ("anser report power --config nano -o build/power", "of the chip, in the default library"),
            (
                "anser report power --netlist gates.v --liberty cells.lib --vcd run.vcd --scope bench.dut",
                "of any mapped netlist",
            ),
        ],
    ),
    (
        "report asic",
        &[
            ("anser report asic --config nano -o build/asic", "in the default library"),
            ("anser report asic --pdk pdk --clock-mhz 150 -o build/asic", "in the libraries of a folder, at 150 MHz"),
        ],
    ),
    (
        "report all",
        &[
            ("anser report all -o build/report", "everything of the built-in model on nano"),
            ("anser report all --no-run -o build/report", "what there is, without work"),
        ],
    ),
    (
        "report tracking",
        &[("anser report tracking --lengths 1,16,256 -o build/tracking.html", "the project's own network")],
    ),
    ("fpga build", &[("anser fpga build --board ulx3s-85f --config nano -o build/fpga", "build/fpga/design.bit")]),
    (
        "fpga simulate",
        &[("anser fpga simulate --prompt ROMEO: --tokens 8", "text from the simulated board, compared with golden")],
    ),
    ("fpga load", &[("anser fpga load build/fpga", "the bitstream into the board")]),
    ("fpga run", &[("anser fpga run --port /dev/ttyUSB0 --prompt ROMEO: --tokens 200", "text from a real board")]),
    (
        "fpga overlay",
        &[(
            "anser fpga overlay --board kv260 --config edge -o build/kv260",
            "the Python package and the built-in model",
        )],
    ),
    (
        "fpga bus",
        &[("anser fpga bus --config nano --stall 0.2", "a simulated chip for a program that speaks its protocol")],
    ),
    ("fpga estimate", &[("anser fpga estimate --part xck26 --config edge", "the larger chip on a KV260")]),
];

/// Options that many verbs share.
struct Topic {
    name: &'static str,
    about: &'static str,
    /// The options by the parser's names.
    options: &'static [&'static str],
    /// The options that each verb shows by itself.
    shown: &'static [&'static str],
    /// The verb that the options are the subject of, which shows them all.
    at_home: &'static str,
    add: fn(Command) -> Command,
}

const TOPICS: [Topic; 2] = [
    Topic {
        name: "chip",
        about: "Topic: options of the simulated chip, shared by the verbs that run it",
        options: CHIP_OPTIONS,
        shown: &["config"],
        at_home: "",
        add: Chip::augment_args,
    },
    Topic {
        name: "formats",
        about: "Topic: options that say how a checkpoint becomes integers, shared by the verbs that take a MODEL",
        options: NUMBERS,
        shown: &["weights"],
        at_home: "quantize",
        add: Numbers::augment_args,
    },
];

/// Adds topics and examples to the program's command, and hides in each verb what a topic shows.
pub fn finish(command: Command) -> Command {
    let command = prepare(command, "");
    TOPICS.iter().fold(command, |command, topic| {
        let page = (topic.add)(Command::new(topic.name).disable_help_flag(true));
        // the struct that holds the options has a description of its own
        command.subcommand(page.about(topic.about).override_usage(format!("anser help {}", topic.name)))
    })
}

/// Columns of a page of help. The parser folds longer lines by itself where the terminal is narrower, without their indent.
const WIDTH: usize = 100;

/// `words` in lines of up to [`WIDTH`] columns, each but the first indented by `indent`.
fn folded(words: &[String], indent: usize) -> String {
    let (mut text, mut column) = (String::new(), indent);
    for word in words {
        if column + word.len() > WIDTH {
            text += &format!("\n{:indent$}", "");
            column = indent;
        } else if !text.is_empty() {
            text += " ";
        }
        text += word;
        column += word.len() + 1;
    }
    text
}

/// Whether `name`, which stands where a verb stands, is a topic.
pub fn is_topic(name: &str) -> bool {
    TOPICS.iter().any(|t| t.name == name)
}

fn prepare(mut command: Command, verb: &str) -> Command {
    let inner: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_string()).collect();
    for name in inner {
        let verb = format!("{verb} {name}");
        command = command.mut_subcommand(name, |c| prepare(c, verb.trim()));
    }
    let mut more = String::new();
    for topic in TOPICS.iter().filter(|t| t.at_home != verb || verb.is_empty()) {
        let id = |a: &Arg| topic.options.iter().copied().find(|o| a.get_id() == *o && !topic.shown.contains(o));
        let hidden: Vec<&str> = command.get_arguments().filter_map(id).collect();
        // a few options are cheaper to show than to look up, and only the topic's own group is shared
        if hidden.len() + topic.shown.len() < topic.options.len() {
            continue;
        }
        let names: Vec<String> = hidden.iter().map(|o| format!("--{}", o.replace('_', "-"))).collect();
        more += &format!("  anser help {:<9}{}\n", topic.name, folded(&names, 2 + 11 + 9));
        command = command.mut_args(|a| if id(&a).is_some() { a.hide(true) } else { a });
    }
    let mut after = String::new();
    if !more.is_empty() {
        after += &format!("More options:\n{more}");
    }
    if let Some((_, examples)) = EXAMPLES.iter().find(|(v, _)| *v == verb) {
        let width = examples.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
        let beside = examples.iter().all(|(_, what)| 2 + width + 3 + what.len() <= WIDTH);
        after += if after.is_empty() { "Examples:\n" } else { "\nExamples:\n" };
        for (line, what) in *examples {
            after += &match beside {
                true => format!("  {line:<width$}   {what}\n"),
                false => format!("  {line}\n      {what}\n"),
            };
        }
    }
    match after.is_empty() {
        true => command,
        false => command.after_help(after.trim_end().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{command, idle};
    use super::*;

    #[test]
    fn every_example_is_a_command_line_that_the_program_takes() {
        for (verb, examples) in EXAMPLES {
            for (line, _) in *examples {
                let words: Vec<&str> = line.split_whitespace().collect();
                let matches = command().try_get_matches_from(&words).unwrap_or_else(|e| panic!("{line}: {e}"));
                assert_eq!(idle::check(&matches), Ok(()), "{line}");
                assert!(words[1..].join(" ").starts_with(verb), "{line} is no example of {verb}");
            }
        }
    }

    #[test]
    fn every_verb_has_an_example() {
        fn verbs(command: &Command, path: &str) -> Vec<String> {
            let inner: Vec<&Command> = command.get_subcommands().filter(|c| !is_topic(c.get_name())).collect();
            match inner.is_empty() {
                true => vec![path.trim().to_string()],
                false => inner.iter().flat_map(|c| verbs(c, &format!("{path} {}", c.get_name()))).collect(),
            }
        }
        for verb in verbs(&command(), "") {
            assert!(EXAMPLES.iter().any(|(v, _)| *v == verb), "{verb}");
        }
    }
}
