//! Text to token ids and back. Which tokenizer a network has follows from its vocabulary size, unless its file says more.
//!
//! The World vocabulary is embedded as the official list. (The crate `rwkv-tokenizer` carries it too, but decodes to
//! `String`, which cannot hold the half characters a token may be, and needs two more crates to read the list.)

use crate::checkpoint::{Checkpoint, Vocabulary};
use crate::text::python_literal::python_literal;
use std::io::{Cursor, Read};
use std::sync::{Arc, OnceLock};

const WORLD_ZIP: &[u8] = include_bytes!("../../data/rwkv_vocab_v20230424.zip");
const WORLD_SIZE: usize = 65_536;
/// Id 0 of the World vocabulary.
pub const WORLD_END_OF_TEXT: u32 = 0;

/// Why a text has no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    #[error("a vocabulary of {vocab_size} has no tokenizer, so a prompt is a list of token numbers; `{word}` is not a number below {vocab_size}")]
    NotANumber { word: String, vocab_size: usize },
}

/// The tokenizer of one network.
#[derive(Clone, Debug)]
pub struct Tokenizer(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Vocabulary 256: a token is a byte.
    Bytes,
    /// The World vocabulary, or a list of tokens that a file carries.
    World(Arc<World>),
    /// Any other: tokens are written as numbers.
    Numbers { vocab_size: usize },
}

impl Tokenizer {
    /// 256: bytes; 65,536: World; any other size: token numbers, such as `17 4 1999`.
    pub fn for_vocab(vocab_size: usize) -> Self {
        Self(match vocab_size {
            256 => Kind::Bytes,
            WORLD_SIZE => Kind::World(World::get().clone()),
            _ => Kind::Numbers { vocab_size },
        })
    }

    /// The tokenizer of a checkpoint: of the tokens that its file lists, or of the size of its vocabulary. Where another
    /// program's tokenizer is needed, tokens are numbers.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let vocab_size = checkpoint.shape().vocab_size;
        let numbers = Self(Kind::Numbers { vocab_size });
        match checkpoint.vocabulary() {
            Vocabulary::BySize => Self::for_vocab(vocab_size),
            Vocabulary::Other(_) => numbers,
            Vocabulary::Tokens(list) if list.len() > vocab_size => numbers,
            Vocabulary::Tokens(list) => {
                let tokens: Vec<Box<[u8]>> = list.iter().map(|t| t.clone().unwrap_or_default()).collect();
                match Self::for_vocab(vocab_size) {
                    Self(Kind::World(world)) if world.tokens == tokens => Self(Kind::World(world)),
                    _ => World::of(tokens).map_or(numbers, |world| Self(Kind::World(Arc::new(world)))),
                }
            }
        }
    }

    /// The tokenizer of an image: that of its size, or numbers if the image says so.
    pub fn of_image(vocab_size: usize, numbers_only: bool) -> Self {
        match numbers_only {
            true => Self(Kind::Numbers { vocab_size }),
            false => Self::for_vocab(vocab_size),
        }
    }

    /// Whether this is what [`Self::for_vocab`] gives for the size of the vocabulary.
    pub fn is_of_size(&self) -> bool {
        match &self.0 {
            Kind::Bytes => true,
            Kind::World(world) => Arc::ptr_eq(world, World::get()),
            Kind::Numbers { vocab_size } => !Self::for_vocab(*vocab_size).is_text(),
        }
    }

    /// What the tokenizer is called: `bytes`, `world`, `tokens of the file` or `numbers`.
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Kind::Bytes => "bytes",
            Kind::World(_) if self.is_of_size() => "world",
            Kind::World(_) => "tokens of the file",
            Kind::Numbers { .. } => "numbers",
        }
    }

    /// Whether tokens stand for text; if not, [`Self::encode`] and [`Self::decode`] speak of numbers.
    pub fn is_text(&self) -> bool {
        !matches!(self.0, Kind::Numbers { .. })
    }

    /// The token that says that a text is over, if the vocabulary has one.
    pub fn end_of_text(&self) -> Option<u32> {
        match &self.0 {
            // a list of a file's own may give the number to a text
            Kind::World(world) if world.bytes(WORLD_END_OF_TEXT).is_none() => Some(WORLD_END_OF_TEXT),
            _ => None,
        }
    }

    /// The bytes that `token` stands for; `None` where it stands for no text, or where tokens are numbers.
    pub fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Bytes => u8::try_from(token).ok().map(|byte| vec![byte]),
            Kind::World(world) => world.bytes(token).map(<[u8]>::to_vec),
            Kind::Numbers { .. } => None,
        }
    }

    /// The token ids of `text`, all below the vocabulary size. Any bytes are accepted where tokens stand for text.
    ///
    /// # Errors
    /// Only without a tokenizer, if `text` is not numbers below the vocabulary size, separated by commas or white space.
    pub fn encode(&self, text: impl AsRef<[u8]>) -> Result<Vec<u32>, TokenizerError> {
        let text = text.as_ref();
        match &self.0 {
            Kind::Bytes => Ok(text.iter().map(|&b| b.into()).collect()),
            Kind::World(world) => Ok(world.encode(text)),
            Kind::Numbers { vocab_size } => text
                .split(|b| b.is_ascii_whitespace() || *b == b',')
                .filter(|word| !word.is_empty())
                .map(|word| {
                    let number = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
                    number.filter(|&n: &u32| (n as usize) < *vocab_size).ok_or_else(|| TokenizerError::NotANumber {
                        word: String::from_utf8_lossy(word).chars().take(40).collect(),
                        vocab_size: *vocab_size,
                    })
                })
                .collect(),
        }
    }

    /// The bytes `tokens` stand for. One token need not be valid UTF-8: see [`TextStream`]. End of text has no bytes; an id
    /// the vocabulary does not list, which only an untrained network says, becomes U+FFFD. Numbers are each followed by a space.
    pub fn decode(&self, tokens: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        for &token in tokens {
            match &self.0 {
                Kind::Bytes => match u8::try_from(token) {
                    Ok(byte) => out.push(byte),
                    Err(_) => out.extend("\u{fffd}".bytes()),
                },
                Kind::World(world) if token == WORLD_END_OF_TEXT && world.bytes(token).is_none() => {}
                Kind::World(world) => out.extend(world.bytes(token).unwrap_or("\u{fffd}".as_bytes())),
                Kind::Numbers { .. } => out.extend(format!("{token} ").bytes()),
            }
        }
        out
    }
}

/// Joins the bytes of successive tokens to text without ever splitting a character.
#[derive(Clone, Debug, Default)]
pub struct TextStream {
    /// The beginning of a character, at most three bytes.
    pending: Vec<u8>,
}

impl TextStream {
    /// The text that is complete once `bytes` have come; what can never become a character turns into U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(rest) => {
                    text.push_str(rest);
                    self.pending.clear();
                    return text;
                }
                Err(e) => {
                    text.push_str(&String::from_utf8_lossy(&self.pending[..e.valid_up_to()]));
                    let Some(bad) = e.error_len() else {
                        self.pending.drain(..e.valid_up_to());
                        return text;
                    };
                    text.push('\u{fffd}');
                    self.pending.drain(..e.valid_up_to() + bad);
                }
            }
        }
    }

    /// What is left when no more bytes come.
    pub fn finish(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        rest
    }
}

/// The World vocabulary.
struct World {
    /// Bytes of each id, empty where the list has none.
    tokens: Vec<Box<[u8]>>,
    trie: Vec<Node>,
    /// Children of all nodes, those of one node together and sorted by byte.
    edges: Vec<(u8, u32)>,
}

/// A node of the trie: a string that begins some token.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Its children are `edges[first..first + count]`.
    first: u32,
    count: u16,
    /// The token that is this string, 0 if there is none.
    token: u32,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({} nodes)", self.trie.len())
    }
}

impl World {
    fn get() -> &'static Arc<Self> {
        static WORLD: OnceLock<Arc<World>> = OnceLock::new();
        WORLD.get_or_init(|| {
            World::read(WORLD_ZIP).expect("the embedded vocabulary is valid, which a test checks").into()
        })
    }

    fn read(zip: &[u8]) -> Option<Self> {
        let mut list = String::new();
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).ok()?;
        archive.by_index(0).ok()?.read_to_string(&mut list).ok()?;
        let mut tokens = vec![Box::default(); WORLD_SIZE];
        for line in list.lines() {
            let (id, rest) = line.split_once(' ')?;
            let (literal, length) = rest.rsplit_once(' ')?;
            let bytes = python_literal(literal)?;
            if bytes.len() != length.parse::<usize>().ok()? || bytes.is_empty() {
                return None;
            }
            *tokens.get_mut(id.parse::<usize>().ok()?)? = bytes.into_boxed_slice();
        }
        Self::of(tokens)
    }

    /// The vocabulary of `tokens`, by id; an empty one stands for no text. `None` unless every byte is a token, no token has
    /// number 0, and no two are the same.
    fn of(tokens: Vec<Box<[u8]>>) -> Option<Self> {
        let mut sorted: Vec<u32> = (0..tokens.len() as u32).filter(|&id| !tokens[id as usize].is_empty()).collect();
        sorted.sort_by(|&a, &b| tokens[a as usize].cmp(&tokens[b as usize]));
        let twins = sorted.windows(2).any(|w| tokens[w[0] as usize] == tokens[w[1] as usize]);
        let bytes = sorted.iter().filter(|&&id| tokens[id as usize].len() == 1).count();
        if twins || bytes != 256 || tokens.first().is_some_and(|t| !t.is_empty()) {
            return None;
        }
        let mut world = World { tokens, trie: vec![Node::default()], edges: Vec::new() };
        world.grow(&sorted);
        Some(world)
    }

    /// Builds the trie breadth first: the tokens that share a node's string are neighbours in `sorted`.
    fn grow(&mut self, sorted: &[u32]) {
        let mut work = std::collections::VecDeque::from([(0usize, sorted, 0usize)]); // node, its tokens, string length
        while let Some((node, mut group, depth)) = work.pop_front() {
            if group.first().is_some_and(|&id| self.tokens[id as usize].len() == depth) {
                self.trie[node].token = group[0];
                group = &group[1..];
            }
            self.trie[node].first = self.edges.len() as u32;
            while let Some(&id) = group.first() {
                let byte = self.tokens[id as usize][depth];
                let (same, rest) = group.split_at(group.partition_point(|&id| self.tokens[id as usize][depth] == byte));
                self.edges.push((byte, self.trie.len() as u32));
                self.trie[node].count += 1;
                work.push_back((self.trie.len(), same, depth + 1));
                self.trie.push(Node::default());
                group = rest;
            }
        }
    }

    fn bytes(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(id as usize).map(|t| &t[..]).filter(|t| !t.is_empty())
    }

    /// Greedy: at each place the longest token that fits. Every single byte is a token, so one always does.
    fn encode(&self, mut text: &[u8]) -> Vec<u32> {
        let mut out = Vec::new();
        while !text.is_empty() {
            let (mut node, mut token, mut length) = (self.trie[0], 0, 1);
            for (depth, byte) in text.iter().enumerate() {
                let children = &self.edges[node.first as usize..][..node.count.into()];
                let Ok(child) = children.binary_search_by_key(byte, |e| e.0) else { break };
                node = self.trie[children[child].1 as usize];
                if node.token != 0 {
                    (token, length) = (node.token, depth + 1);
                }
            }
            out.push(token);
            text = &text[length..];
        }
        out
    }
}
