//! The elaborated design as rust-hdl's objects: blocks, and atoms that say truthfully whether they are connected, where to and how wide.

use super::module::{Dir, Module};
use rust_hdl::prelude::*;

/// What a block of the view says of its text.
type Text<'a> = &'a dyn Fn(&Module) -> Verilog;

/// A module in its place.
pub struct View<'a> {
    module: &'a Module,
    /// Ports that the parent connects; all inputs of the top are connected from outside.
    connected: Vec<bool>,
    children: Vec<(String, View<'a>)>,
    text: Text<'a>,
}

impl<'a> View<'a> {
    /// The tree under `top`; `text` gives what each block's [`Logic::hdl`] is.
    pub fn top(top: &'a Module, text: Text<'a>) -> View<'a> {
        View::placed(top, vec![true; top.ports.len()], text)
    }

    fn placed(module: &'a Module, connected: Vec<bool>, text: Text<'a>) -> View<'a> {
        let children = module.instances.iter().flat_map(|i| {
            let open = |port: &str| i.connections.iter().any(|(n, e)| n == port && !e.is_empty());
            let connected: Vec<bool> = i.module.ports.iter().map(|p| open(&p.name)).collect();
            i.paths().into_iter().map(move |path| (path, View::placed(&i.module, connected.clone(), text)))
        });
        View { module, connected, children: children.collect(), text }
    }
}

impl Logic for View<'_> {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        (self.text)(self.module)
    }
}

impl Block for View<'_> {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        let ports = self.module.ports.iter().zip(&self.connected);
        for (i, (p, from_outside)) in ports.enumerate() {
            let (kind, connected) = match p.dir {
                Dir::In => (AtomKind::InputParameter, *from_outside),
                Dir::Out => (AtomKind::OutputParameter, self.module.scan().drivers.contains_key(&p.name)),
            };
            Signal { name: &p.name, bits: p.bits, kind, connected, id: i }.accept(&p.name, probe);
        }
        let inner =
            self.module.scan().names.signals.iter().filter(|(n, _)| !self.module.ports.iter().any(|p| p.name == **n));
        for (i, (n, signal)) in inner.enumerate() {
            let connected = self.module.scan().drivers.contains_key(n);
            let id = self.module.ports.len() + i;
            Signal { name: n, bits: signal.bits, kind: AtomKind::LocalSignal, connected, id }.accept(n, probe);
        }
        for (instance, child) in &self.children {
            child.accept(instance, probe);
        }
        probe.visit_end_scope(name, self);
    }
}

/// A signal in its place.
struct Signal<'a> {
    name: &'a str,
    bits: usize,
    kind: AtomKind,
    connected: bool,
    id: usize,
}

impl Logic for Signal<'_> {
    fn update(&mut self) {}
}

impl Block for Signal<'_> {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}

impl Atom for Signal<'_> {
    fn bits(&self) -> usize {
        self.bits
    }
    fn connected(&self) -> bool {
        self.connected
    }
    fn changed(&self) -> bool {
        false
    }
    fn kind(&self) -> AtomKind {
        self.kind
    }
    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor { name: self.name.into(), kind: TypeKind::Bits(self.bits) }
    }
    fn vcd(&self) -> VCDValue {
        VCDValue::from(false)
    }
    fn id(&self) -> usize {
        self.id
    }
    fn verilog(&self) -> VerilogLiteral {
        VerilogLiteral::from(0u32)
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        vec![]
    }
}
