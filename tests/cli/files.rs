//! Checkpoints that are broken on purpose.

use serde_json::{json, Value};

/// A `.safetensors` file taken apart.
pub struct Checkpoint {
    header: serde_json::Map<String, Value>,
    data: Vec<u8>,
}

impl Checkpoint {
    pub fn read(path: &str) -> Self {
        let bytes = std::fs::read(path).expect("a checkpoint");
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
        let header = serde_json::from_slice(&bytes[8..8 + length]).expect("a JSON header");
        Self { header, data: bytes[8 + length..].to_vec() }
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let header = serde_json::to_vec(&self.header).expect("JSON");
        [&(header.len() as u64).to_le_bytes()[..], &header, &self.data].concat()
    }

    /// `new(name)` instead of each name; tensors without one are dropped from the list.
    pub fn renamed(mut self, new: impl Fn(&str) -> Option<String>) -> Self {
        self.header = self.header.into_iter().filter_map(|(name, t)| Some((new(&name)?, t))).collect();
        self
    }

    /// Another shape of as many numbers.
    pub fn reshaped(mut self, name: &str, shape: &[usize]) -> Self {
        self.header[name]["shape"] = json!(shape);
        self
    }

    /// 16-bit number `index` of a tensor replaced by the bits `value`.
    pub fn patched(mut self, name: &str, index: usize, value: u16) -> Self {
        let start = self.header[name]["data_offsets"][0].as_u64().expect("an offset") as usize + 2 * index;
        self.data[start..start + 2].copy_from_slice(&value.to_le_bytes());
        self
    }

    /// Every 16-bit number of a tensor replaced by the bits `value`.
    pub fn fill(&mut self, name: &str, value: u16) {
        let place = |i: usize| self.header[name]["data_offsets"][i].as_u64().expect("an offset") as usize;
        let (from, to) = (place(0), place(1));
        for number in self.data[from..to].chunks_exact_mut(2) {
            number.copy_from_slice(&value.to_le_bytes());
        }
    }
}
