//! Options that would have no effect in the company of others. The program refuses them by name instead of ignoring them, before any
//! work. [`RULES`] is the whole list.

use super::model::NUMBERS;
use clap::parser::ValueSource;
use clap::ArgMatches;

/// Options of the simulated chip that have no meaning in software.
const CHIP_ONLY: &[&str] = &["stall", "memory", "skip_columns", "trace"];
/// Options about the chip's own netlist, which another netlist does not have.
const OWN_NETLIST: &[&str] = &[
    "tokens",
    "warm_up",
    "verilator",
    "dram_pj_per_bit",
    "config",
    "clock_mhz",
    "ram_um2_per_bit",
    "ram_pj_per_bit",
    "ram_clk_to_q_ns",
];
/// Verbs that run or print the chip whatever the other options say; those with `--backend` do so on `--backend rtl`.
const CHIP_VERBS: [&str; 7] =
    ["rtl", "cosim", "report latency", "report power", "fpga simulate", "fpga run", "fpga overlay"];

/// A command line: the verb, such as `report latency`, and its options.
struct Line<'a> {
    verb: String,
    options: &'a ArgMatches,
}

impl Line<'_> {
    /// Whether the user gave option `id`.
    fn given(&self, id: &str) -> bool {
        self.has(id) && self.options.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// Whether the verb has the option and a value or default for it.
    fn has(&self, id: &str) -> bool {
        self.options.try_contains_id(id).unwrap_or(false)
    }

    /// The values of option `id` as they were written, or its default.
    fn values(&self, id: &str) -> Vec<String> {
        let raw = self.options.try_get_raw(id).ok().flatten();
        // a list is one word
        raw.into_iter()
            .flatten()
            .flat_map(|v| v.to_string_lossy().split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    fn is(&self, id: &str, value: &str) -> bool {
        self.values(id).iter().any(|v| v == value)
    }

    /// Whether option `id` is there and another number than 0.
    fn counts(&self, id: &str) -> bool {
        self.values(id).iter().any(|v| v.parse::<f64>().is_ok_and(|v| v != 0.0))
    }

    fn in_software(&self) -> bool {
        self.has("backend") && !self.is("backend", "rtl")
    }

    fn on_the_chip(&self) -> bool {
        self.is("backend", "rtl") || CHIP_VERBS.contains(&self.verb.as_str())
    }

    /// Whether some matrix of the network is to have 4 bits; an automatic choice may pick them.
    fn has_four_bits(&self) -> bool {
        ["weights", "head", "value"].iter().any(|id| self.is(id, "w4")) || self.is("weights", "auto")
    }
}

/// Options that are idle on some command lines.
struct Rule {
    /// Options by the parser's names, with `_` for `-`.
    options: &'static [&'static str],
    idle: fn(&Line) -> bool,
    /// Why they have no effect there, and what would give them one.
    says: &'static str,
    /// A command line that the rule refuses, for the tests; the option is the last but for its value.
    #[cfg_attr(not(test), allow(dead_code))] // only the tests read it
    example: &'static str,
}

/// One row for each reason.
const RULES: [Rule; 19] = [
    Rule {
        options: NUMBERS,
        idle: |l| l.is("backend", "float"),
        says: "floats are not quantised, expected --backend golden or rtl",
        example: "generate --backend float --prompt a --tokens 1 --weights w4",
    },
    Rule {
        options: CHIP_ONLY,
        idle: |l| l.in_software(),
        says: "only the simulated chip has it, expected --backend rtl",
        example: "eval --backend golden --stall 0.2",
    },
    Rule {
        options: &["sessions"],
        idle: |l| l.in_software() && !(l.verb == "bench" && l.is("backend", "golden")),
        says: "one text is worked on here, expected --backend rtl, or bench with --backend golden",
        example: "logits --backend golden --tokens 1 --sessions 2",
    },
    Rule {
        options: &["threads"],
        idle: |l| !l.is("backend", "golden"),
        says: "only the integer model has threads, expected --backend golden",
        example: "bench --backend rtl --threads 2",
    },
    Rule {
        options: &["top_p"],
        idle: |l| !l.counts("temperature"),
        says: "the most likely token is always taken, expected --temperature above 0 beside it",
        example: "generate --backend golden --prompt a --tokens 1 --top-p 0.5",
    },
    Rule {
        options: &["skip_columns"],
        idle: |l| l.verb == "rtl" && !l.has("model"),
        says: "it is about programs, which belong to a model, expected a MODEL",
        example: "rtl -o x --skip-columns",
    },
    Rule {
        options: NUMBERS,
        idle: |l| l.verb == "rtl" && !l.has("model"),
        says: "it is about a model's image, expected a MODEL",
        example: "rtl -o x --weights w4",
    },
    Rule {
        options: NUMBERS,
        idle: |l| l.given("no_load"),
        says: "the board keeps the model it has, expected it without --no-load",
        example: "fpga run --port x --prompt a --no-load --weights w4",
    },
    Rule {
        options: &["state_bits"],
        idle: |l| l.on_the_chip(),
        says: "the chip's width is state_bits in the file of --config, expected it there",
        example: "cosim --prompt a --tokens 1 --state-bits 20",
    },
    Rule {
        options: &["operand_bits"],
        idle: |l| l.on_the_chip() && !l.is("operand_bits", "16"),
        says: "the chip multiplies operands of 16 bits, expected 16, or --backend golden",
        example: "logits --backend rtl --tokens 1 --operand-bits 10",
    },
    Rule {
        options: &["head"],
        idle: |l| l.on_the_chip() && l.is("head", "clustered"),
        says: "the chip reads the whole head, expected w8 or w4, or --backend golden",
        example: "generate --backend rtl --prompt a --tokens 1 --head clustered",
    },
    Rule {
        options: &["value"],
        idle: |l| l.on_the_chip() && l.is("value", "w4"),
        says: "the chip reads columns of 8 bits for ffn.value, expected w8, or --backend golden",
        example: "rtl model.pth -o x --value w4",
    },
    Rule {
        options: &["branch"],
        idle: |l| l.on_the_chip() && l.counts("branch"),
        says: "the chip has no branches, expected 0, or --backend golden",
        example: "cosim --prompt a --tokens 1 --weights w4 --branch 4",
    },
    Rule {
        options: &["budget"],
        idle: |l| !l.is("weights", "auto"),
        says: "it limits an automatic choice, expected --weights auto beside it",
        example: "quantize -o x --budget 4",
    },
    Rule {
        options: &["clusters", "visit"],
        idle: |l| !l.is("head", "clustered"),
        says: "the head has no clusters, expected --head clustered beside it",
        example: "quantize -o x --visit 4",
    },
    Rule {
        options: &["branch", "round", "scales"],
        idle: |l| !l.has_four_bits() && !l.is("branch", "0"),
        says: "it is about matrices of 4 bits, expected --weights w4 or auto beside it",
        example: "quantize -o x --round gptq",
    },
    Rule {
        options: &["head_size", "vocab"],
        idle: |l| l.verb == "explore" && !l.has("layers"),
        says: "the model says it, expected --layers and --embd instead of a MODEL",
        example: "explore model.pth --vocab 256",
    },
    Rule {
        options: &["weights"],
        idle: |l| ["explore", "report tracking", "report all"].contains(&l.verb.as_str()) && l.is("weights", "auto"),
        says: "an automatic choice needs a text, which this verb does not take, expected w8 or w4",
        example: "explore --weights w8,auto",
    },
    Rule {
        options: OWN_NETLIST,
        idle: |l| l.has("netlist"),
        says: "it is about the chip's own netlist, expected it without --netlist",
        example: "report power --netlist x --liberty x --scope x --vcd x --warm-up 1",
    },
];

/// The first option on the command line that would have no effect, as one sentence.
pub fn check(matches: &ArgMatches) -> Result<(), String> {
    let (mut verb, mut options) = (vec![], matches);
    while let Some((name, inner)) = options.subcommand() {
        verb.push(name);
        options = inner;
    }
    let line = Line { verb: verb.join(" "), options };
    for rule in &RULES {
        if let Some(id) = rule.options.iter().find(|id| line.given(id)).filter(|_| (rule.idle)(&line)) {
            let value = line.values(id).join(",");
            let value = if value.is_empty() || value == "true" { String::new() } else { format!(" {value}") };
            return Err(format!("--{}{value}: {}", id.replace('_', "-"), rule.says));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Result<(), String> {
        let words = std::iter::once("anser").chain(line.split_whitespace());
        let matches = super::super::command().try_get_matches_from(words);
        check(&matches.unwrap_or_else(|e| panic!("{line}: {e}")))
    }

    #[test]
    fn every_rule_refuses_its_example_by_name() {
        for rule in &RULES {
            let said = said(rule.example).expect_err(rule.example);
            assert!(said.ends_with(rule.says), "{}: another rule refuses it: {said}", rule.example);
            let name = said.split([' ', ':']).next().expect("a name");
            assert!(rule.example.contains(name) && said.contains("expected"), "{said}");
        }
    }

    #[test]
    fn the_parser_knows_every_option_of_the_rules() {
        fn ids(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().map(|a| a.get_id().to_string());
            own.chain(command.get_subcommands().flat_map(ids)).collect()
        }
        let known = ids(&super::super::command());
        for id in RULES.iter().flat_map(|r| r.options) {
            assert!(known.iter().any(|k| k == id), "no verb has an option {id}");
        }
    }

    #[test]
    fn what_has_an_effect_is_let_through() {
        for line in [
            "generate --backend golden --prompt a --tokens 1 --temperature 0.8 --top-p 0.9 --seed 3 --weights w4 --round gptq",
            "generate --backend rtl --prompt a --tokens 1 --stall 0.2 --seed 3 --config nano --sessions 2 --skip-columns",
            "cosim --prompt a --tokens 1 --seed 3 --operand-bits 16 --weights auto --budget 5 --branch 0 --calibrate x",
            "bench --backend golden --sessions 8 --threads 2 --state-bits 20 --operand-bits 10 --head clustered --visit 4",
            "eval --backend float --text x",
            "quantize -o x --head w4 --scales max --value w4",
            "explore --layers 2 --embd 64 --vocab 256",
            "report power --warm-up 1 --weights w4",
        ] {
            assert_eq!(said(line), Ok(()), "{line}");
        }
    }
}
