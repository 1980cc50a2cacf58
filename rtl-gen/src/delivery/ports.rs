//! The ports of the chip as an integrator sees them: clock, resets, interrupts, and buses with their channels.
//!
//! All of it is read from the names of the top module's ports, which follow AXI's own names behind a prefix (`m_axi_araddr`). A port that
//! fits nowhere is an error, so nothing is left out of what is made from here.

use crate::hdl::{Dir, Module, Port};

/// What a bus speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Axi4Lite,
    Axi4,
    Axi4Stream,
}

/// A bus: its ports share a prefix.
#[derive(Clone, Debug)]
pub struct Bus {
    /// The prefix without its last `_`, such as `m_axi`.
    pub name: String,
    pub protocol: Protocol,
    /// Whether the chip asks, or is asked.
    pub is_master: bool,
    pub ports: Vec<Port>,
}

/// A channel of a bus: a valid, a ready, and what goes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// What the names of its signals begin with, such as `m_axi_ar`.
    pub prefix: String,
    /// Whether the chip drives valid.
    pub from_chip: bool,
    pub payload: Vec<String>,
}

/// All ports of the chip.
#[derive(Clone, Debug)]
pub struct Ports {
    pub clock: Port,
    /// Active low.
    pub resets: Vec<Port>,
    /// High while there is something to tell.
    pub interrupts: Vec<Port>,
    pub buses: Vec<Bus>,
}

impl Ports {
    /// Sorts the ports of `top`.
    ///
    /// # Errors
    /// A port whose name says none of the above, or a top without a clock.
    pub fn of(top: &Module) -> Result<Self, String> {
        let (mut clock, mut resets, mut interrupts, mut buses) = (None, vec![], vec![], Vec::<Bus>::new());
        for port in &top.ports {
            let (name, input) = (port.name.as_str(), port.dir == Dir::In);
            if let Some((protocol, is_master)) = protocol(name) {
                let prefix = name.rsplit_once('_').map_or(name, |(prefix, _)| prefix);
                match buses.iter_mut().find(|b| b.name == prefix) {
                    Some(bus) => bus.ports.push(port.clone()),
                    None => {
                        buses.push(Bus { name: prefix.into(), protocol, is_master, ports: vec![port.clone()] });
                    }
                }
            } else if input && name == "clk_i" {
                clock = Some(port.clone());
            } else if input && name.ends_with("rst_ni") {
                resets.push(port.clone());
            } else if !input && name.ends_with("irq_o") {
                interrupts.push(port.clone());
            } else {
                return Err(format!(
                    "port {name} of {} is no clock, reset, interrupt or bus: expected clk_i, a name that ends in rst_ni or irq_o, or \
                     one that begins with s_axil_, m_axi_ or m_axis_",
                    top.name
                ));
            }
        }
        let clock = clock.ok_or_else(|| format!("{} has no port clk_i", top.name))?;
        Ok(Self { clock, resets, interrupts, buses })
    }

    /// Every port but the clock, in the order of the groups.
    pub fn all_but_clock(&self) -> impl Iterator<Item = &Port> {
        self.resets.iter().chain(&self.interrupts).chain(self.buses.iter().flat_map(|b| &b.ports))
    }

    /// The reset of the buses: their own one where there is one.
    pub fn bus_reset(&self) -> Option<&Port> {
        self.resets.iter().find(|r| r.name.starts_with("bus_")).or(self.resets.first())
    }

    /// The one bus of `protocol`.
    pub fn bus(&self, protocol: Protocol) -> Option<&Bus> {
        self.buses.iter().find(|b| b.protocol == protocol)
    }
}

/// What the prefix of a port's name says of its bus: the protocol, and whether the chip is its master.
fn protocol(name: &str) -> Option<(Protocol, bool)> {
    let table = [
        ("s_axil_", Protocol::Axi4Lite, false),
        ("m_axi_", Protocol::Axi4, true),
        ("m_axis_", Protocol::Axi4Stream, true),
    ];
    table.into_iter().find(|(prefix, ..)| name.starts_with(prefix)).map(|(_, protocol, master)| (protocol, master))
}

impl Bus {
    /// The name of `port` in the bus's own specification, such as `ARADDR`.
    pub fn logical(&self, port: &Port) -> String {
        port.name[self.name.len() + 1..].to_uppercase()
    }

    /// The port that the specification calls `logical`.
    pub fn port(&self, logical: &str) -> Option<&Port> {
        self.ports.iter().find(|p| self.logical(p) == logical)
    }

    /// Whether the bus reads, and whether it writes.
    pub fn has(&self, logical: &str) -> bool {
        self.port(logical).is_some()
    }

    /// The channels, in the order of their ports.
    pub fn channels(&self) -> Vec<Channel> {
        let of = |valid: &Port| {
            let prefix = valid.name.strip_suffix("valid")?;
            let own = self.ports.iter().map(|p| &p.name).filter(|p| p.starts_with(prefix));
            let payload = own.filter(|p| !matches!(&p[prefix.len()..], "valid" | "ready")).cloned().collect();
            Some(Channel { prefix: prefix.into(), from_chip: valid.dir == Dir::Out, payload })
        };
        self.ports.iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::core::top;
    use crate::config::Config;

    fn ports(name: &str) -> Ports {
        let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        Ports::of(&top(&Config::load(std::path::Path::new(&path)).unwrap())).unwrap()
    }

    #[test]
    fn every_port_has_its_place() {
        for (name, n_channels) in [("nano", [5, 2, 1]), ("edge-large", [5, 5, 1])] {
            let ports = ports(name);
            let buses: Vec<_> = ports.buses.iter().map(|b| (b.name.as_str(), b.protocol, b.is_master)).collect();
            let expected = [
                ("s_axil", Protocol::Axi4Lite, false),
                ("m_axi", Protocol::Axi4, true),
                ("m_axis_logits", Protocol::Axi4Stream, true),
            ];
            assert_eq!(buses, expected);
            let channels: Vec<_> = ports.buses.iter().map(Bus::channels).collect();
            assert_eq!(channels.iter().map(Vec::len).collect::<Vec<_>>(), n_channels, "{name}");
            // each port of a bus is a valid, a ready or a payload of exactly one channel
            for (bus, channels) in ports.buses.iter().zip(&channels) {
                let n: usize = channels.iter().map(|c| 2 + c.payload.len()).sum();
                assert_eq!(n, bus.ports.len(), "{name}: {}: {channels:?}", bus.name);
            }
        }
        let ports = ports("nano");
        let stream = ports.bus(Protocol::Axi4Stream).unwrap();
        assert!(stream.has("TDATA") && stream.has("TLAST") && !stream.has("TKEEP"));
        let ar = &ports.bus(Protocol::Axi4).unwrap().channels()[0];
        assert_eq!((ar.prefix.as_str(), ar.from_chip, ar.payload.len()), ("m_axi_ar", true, 4));
    }

    #[test]
    fn a_port_without_a_place_is_refused_by_name() {
        let mut m = Module::new("top", "");
        m.input("s_axil_awvalid", 1, "").output("debug_o", 4, "");
        assert!(Ports::of(&m).unwrap_err().contains("port debug_o of anser_top"));
        assert!(Ports::of(&Module::combinational("top", "")).unwrap_err().contains("no port clk_i"));
    }
}
