//! Ports, sizes and connections in a form that is short to write: [`crate::ports!`], [`crate::sizes!`], [`crate::wires!`] and
//! [`crate::instance!`].

/// What the ports of an instance are connected to.
#[derive(Clone, Debug, Default)]
pub struct Wires {
    /// Port and expression.
    pub(super) list: Vec<(String, String)>,
    /// Ports that are not in the list follow a rule, see [`crate::wires!`].
    pub(super) rest: bool,
}

impl Wires {
    /// Connects `port` to the expression `signal`.
    pub fn add(&mut self, port: &str, signal: impl AsRef<str>) {
        self.list.push((port.to_string(), signal.as_ref().to_string()));
    }

    /// Takes the connections of `more` as well.
    pub fn extend(&mut self, more: Wires) {
        self.list.extend(more.list);
        self.rest |= more.rest;
    }

    /// Connects the ports of the list and all others by the rule of `..`.
    pub fn with_rest(mut self) -> Wires {
        self.rest = true;
        self
    }

    /// Returns the expression that the list connects `port` to.
    pub fn get(&self, port: &str) -> Option<&str> {
        self.list.iter().find(|(p, _)| p == port).map(|(_, signal)| signal.as_str())
    }
}

impl<P: AsRef<str>, S: AsRef<str>> FromIterator<(P, S)> for Wires {
    fn from_iter<I: IntoIterator<Item = (P, S)>>(list: I) -> Wires {
        let mut wires = Wires::default();
        list.into_iter().for_each(|(port, signal)| wires.add(port.as_ref(), signal));
        wires
    }
}

impl From<&[(&str, &str)]> for Wires {
    fn from(list: &[(&str, &str)]) -> Wires {
        list.iter().copied().collect()
    }
}

/// Returns the name of `port` without its `_i` or `_o`; one that is active when low keeps its `n`.
pub fn stem(port: &str) -> &str {
    let low = port.ends_with("_ni") || port.ends_with("_no");
    match low {
        true => &port[..port.len() - 1],
        false => port.strip_suffix("_i").or_else(|| port.strip_suffix("_o")).unwrap_or(port),
    }
}

/// Selects element `i` of a vector of elements of `bits` bits.
pub fn part(vector: &str, i: usize, bits: usize) -> String {
    format!("{vector}[{}:{}]", (i + 1) * bits - 1, i * bits)
}

/// Lists connections: `port: signal` with the name of a signal, `port: "expression"` in SystemVerilog, `port: value` with a Rust value that
/// is text, or `port` alone for the signal of the same name.
///
/// A list that ends in `..` leaves the remaining ports to a rule: each is connected to the parent's port of the same name, or if the parent
/// has none to the signal that is called as the port is without `_i` or `_o`. Without `..` every port must be listed.
#[macro_export]
macro_rules! wires {
    (@add $w:ident) => {};
    (@add $w:ident ..) => { $w = $w.with_rest(); };
    (@add $w:ident $port:ident $(, $($more:tt)*)?) => {
        $w.add(stringify!($port), stringify!($port));
        $crate::wires!(@add $w $($($more)*)?);
    };
    (@add $w:ident $port:ident : $signal:ident $(, $($more:tt)*)?) => {
        $w.add(stringify!($port), stringify!($signal));
        $crate::wires!(@add $w $($($more)*)?);
    };
    (@add $w:ident $port:ident : $signal:expr $(, $($more:tt)*)?) => {
        $w.add(stringify!($port), $signal);
        $crate::wires!(@add $w $($($more)*)?);
    };
    ($($list:tt)*) => {{
        #[allow(unused_mut)] // an empty list changes nothing
        let mut wires = $crate::hdl::Wires::default();
        $crate::wires!(@add wires $($list)*);
        wires
    }};
}

/// Places `child` in module `m` under `name`, connected as [`crate::wires!`] says: `instance! { m, name, child; port: signal, … }`.
#[macro_export]
macro_rules! instance {
    ($m:expr, $name:expr, $child:expr; $($wires:tt)*) => {
        $m.instance($name, &$child, $crate::wires! { $($wires)* });
    };
}

/// A table of what drives the inputs of units (`hdl::assembly`): `table! { UNIT { port: signal, … } … }`, connections as in [`crate::wires!`].
#[macro_export]
macro_rules! table {
    ($($unit:ident { $($wires:tt)* })*) => {
        vec![$((stringify!($unit), $crate::wires! { $($wires)* })),*]
    };
}

/// Declares ports of module `m`: `ports! { m; name[bits] "what it carries", … }`. A name that ends in `_i` is an input, one that ends in
/// `_o` an output. Without `[bits]` a port has one bit; the text may be left out.
#[macro_export]
macro_rules! ports {
    (@bits) => { 1 };
    (@bits $bits:expr) => { $bits };
    ($m:expr; $($name:ident $([$bits:expr])? $($doc:literal)?),* $(,)?) => {
        $($m.named_port(stringify!($name), $crate::ports!(@bits $($bits)?), concat!($($doc)?));)*
    };
}

/// Includes the text of a body: file `rtl/NAME.sv` of the crate that says so.
#[macro_export]
macro_rules! rtl {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rtl/", $name, ".sv"))
    };
}

/// Declares sizes in module `m`: `sizes! { m; NAME = value, … }`, or `NAME` alone for the Rust constant of that name.
#[macro_export]
macro_rules! sizes {
    (@value $name:ident) => { $name };
    (@value $name:ident $value:expr) => { $value };
    ($m:expr; $($name:ident $(= $value:expr)?),* $(,)?) => {
        $m.sizes(&[$((stringify!($name), $crate::sizes!(@value $name $($value)?))),*]);
    };
}
