//! What others have published, in their own numbers. Nothing here is measured, recomputed or guessed by this project: a number that
//! its source does not give is left out, and what is divided from two published numbers is marked as such on the page.

/// One design with one model.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    pub name: &'static str,
    /// What it runs on.
    pub platform: &'static str,
    pub network: &'static str,
    /// Parameters of the network, as it is called; none if the source does not say.
    pub params: Option<f64>,
    pub tokens_per_s: Option<f64>,
    pub watts: Option<f64>,
    /// Tokens a second and watt, where the source gives that instead of watts.
    pub tokens_per_s_w: Option<f64>,
    /// Share of the memory's bandwidth that is used, in words of the source.
    pub bandwidth: Option<&'static str>,
    /// What the numbers are, as far as the source says.
    pub nature: &'static str,
    pub source: &'static str,
    pub url: &'static str,
}

impl Published {
    /// Joules a token: a quotient of two published numbers.
    pub fn j_per_token(&self) -> Option<f64> {
        match (self.tokens_per_s_w, self.watts, self.tokens_per_s) {
            (Some(t), _, _) => Some(1.0 / t),
            (_, Some(w), Some(t)) => Some(w / t),
            _ => None,
        }
    }
}

const NONE: Published = Published {
    name: "",
    platform: "",
    network: "",
    params: None,
    tokens_per_s: None,
    watts: None,
    tokens_per_s_w: None,
    bandwidth: None,
    nature: "",
    source: "",
    url: "",
};

/// The published designs, in the order of the table.
pub const PUBLISHED: [Published; 8] = [
    Published {
        name: "gateGPT",
        platform: "Virtex-5 XC5VLX110T, 80 MHz",
        network: "character transformer, 1 block of width 24, fixed point of 16 bits, weights on chip",
        tokens_per_s: Some(69_204.0),
        nature: "on a board; the fastest token, 53,800 at the longest context",
        source: "README of fguzman82/gateGPT",
        url: "https://github.com/fguzman82/gateGPT",
        ..NONE
    },
    Published {
        name: "Hummingbird, KV260",
        platform: "KV260",
        network: "LLaMA3-8B",
        params: Some(8e9),
        tokens_per_s: Some(4.8),
        bandwidth: Some("93–94 %"),
        nature: "on the board",
        source: "arXiv 2507.03308, abstract",
        url: "https://arxiv.org/abs/2507.03308",
        ..NONE
    },
    Published {
        name: "Hummingbird, ZCU104",
        platform: "ZCU104",
        network: "LLaMA3-8B",
        params: Some(8e9),
        tokens_per_s: Some(8.6),
        bandwidth: Some("93–94 %"),
        nature: "on the board",
        source: "arXiv 2507.03308, abstract",
        url: "https://arxiv.org/abs/2507.03308",
        ..NONE
    },
    Published {
        name: "TeLLMe",
        platform: "KV260",
        network: "ternary transformer, 1.58-bit weights",
        tokens_per_s: Some(9.0),
        watts: Some(7.0),
        nature: "on the board, “up to”; 7 W is called a power budget",
        source: "arXiv 2504.16266, abstract",
        url: "https://arxiv.org/abs/2504.16266",
        ..NONE
    },
    Published {
        name: "TeLLMe v2",
        platform: "KV260",
        network: "ternary transformer, 1.58-bit weights",
        tokens_per_s: Some(25.0),
        watts: Some(5.0),
        nature: "on the board, “up to”; 5 W is called a power budget",
        source: "arXiv 2510.15926, abstract and introduction",
        url: "https://arxiv.org/abs/2510.15926",
        ..NONE
    },
    Published {
        name: "TerEffic, on chip",
        platform: "several FPGAs, all weights on chip",
        network: "ternary, 370 M parameters",
        params: Some(370e6),
        tokens_per_s: Some(16_300.0),
        tokens_per_s_w: Some(455.0),
        nature: "“experimental results”; the abstract does not say whether on hardware",
        source: "arXiv 2502.16473v2, abstract",
        url: "https://arxiv.org/abs/2502.16473v2",
        ..NONE
    },
    Published {
        name: "TerEffic, HBM",
        platform: "one FPGA with HBM",
        network: "ternary, 2.7 B parameters",
        params: Some(2.7e9),
        tokens_per_s: Some(727.0),
        watts: Some(46.0),
        nature: "“experimental results”; the abstract does not say whether on hardware",
        source: "arXiv 2502.16473v2, abstract",
        url: "https://arxiv.org/abs/2502.16473v2",
        ..NONE
    },
    Published {
        name: "HFRWKV",
        platform: "Alveo U50 and U280",
        network: "RWKV; sizes not in the abstract",
        nature: "only ratios: 63.48 times a CPU's throughput, 32.33 times a GPU's; tokens/s and watts not found",
        source: "arXiv 2601.02135, abstract",
        url: "https://arxiv.org/abs/2601.02135",
        ..NONE
    },
];
