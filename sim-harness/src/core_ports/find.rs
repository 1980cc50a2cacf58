//! Finds the ports of a design by name and checks their widths.

use super::raw::Raw;
use super::{Axi, AxiWrite, CorePorts, Lite, PortsError, TracePort, BLANK_BYTES};
use crate::dut::{Dut, Storage};
use crate::lockstep::{lanes_of, Group, Unit, GROUPS};
use rtl_gen::config::Config;
use rtl_gen::hdl::index_bits;

impl CorePorts {
    /// Looks up every port of `docs/hardware.md` and checks the widths that depend on the configuration. A design without
    /// `stall_i` (`anser_top`) has no test ports at all: it is never stalled from inside and reports no event.
    pub fn new(dut: &Dut, config: &Config) -> Result<Self, PortsError> {
        let (bus_bits, slots) = (config.bus_bits, config.sessions);
        let raw = |name: &str| -> Result<Raw, PortsError> {
            let port = dut.port(name)?;
            let info = dut.info(port);
            Ok(Raw { ptr: dut.raw(port), storage: info.storage, bits: info.bits })
        };
        let sized = |name: &str, bits: usize| -> Result<Raw, PortsError> {
            let r = raw(name)?;
            match r.bits == bits {
                true => Ok(r),
                false => Err(PortsError::Width { port: name.into(), got: r.bits, expected: bits.to_string() }),
            }
        };
        let l = |name: &str| raw(&format!("s_axil_{name}"));
        let m = |name: &str| raw(&format!("m_axi_{name}"));
        let mut blank = Box::new([0u8; BLANK_BYTES]);
        let stand_in = blank.as_mut_ptr();
        let is_bare = dut.port("stall_i").is_err();
        let test_port = |name: &str, bits: usize| match is_bare {
            // the last byte takes what is written to stall_i, so that the others stay 0
            true if name == "stall_i" => {
                Ok(Raw { ptr: stand_in.wrapping_add(BLANK_BYTES - 1), storage: Storage::U8, bits })
            }
            true => Ok(Raw { ptr: stand_in, storage: Storage::U8, bits }),
            false => sized(name, bits),
        };
        let t = |name: &str, bits| test_port(&format!("trace_{name}_o"), bits);
        let lanes = lanes_of(config);
        let mut traces = vec![];
        for group in GROUPS {
            let (name, g) = (group.name(), lanes[group as usize]);
            let field = |f: &str, bits| t(&format!("{name}_{f}"), bits);
            let many = if matches!(group.unit(), Unit::Wkv) { 1 } else { slots };
            let packed = many * g.n * g.bits;
            let (index, data) = match group {
                Group::Vec => (Some(field("word", 13)?), [Some(field("data", packed)?), None, None]),
                Group::Sreg => {
                    let three = [
                        Some(field("mean", many * 27)?),
                        Some(field("mult", many * 27)?),
                        Some(field("shift", many * 6)?),
                    ];
                    (Some(field("seg", 8)?), three)
                }
                Group::Exp => (None, [Some(field("exp", packed)?), None, None]),
                Group::WkvS => (Some(field("addr", 20)?), [Some(field("data", packed)?), None, None]),
                Group::Mat | Group::WkvSa | Group::WkvY => {
                    (Some(field("row", 18)?), [Some(field("data", packed)?), None, None])
                }
            };
            let slot = match slots > 1 && many == 1 {
                true => Some(field("slot", index_bits(slots))?),
                false => None,
            };
            traces.push(TracePort { valid: field("valid", 1)?, op: field("op", 12)?, index, data, lanes: g, slot });
        }
        let Ok(traces) = traces.try_into() else { unreachable!("one a group") };
        Ok(CorePorts {
            lite: Lite {
                awaddr: l("awaddr")?,
                awvalid: l("awvalid")?,
                awready: l("awready")?,
                wdata: sized("s_axil_wdata", 32)?,
                wstrb: sized("s_axil_wstrb", 4)?,
                wvalid: l("wvalid")?,
                wready: l("wready")?,
                bresp: l("bresp")?,
                bvalid: l("bvalid")?,
                bready: l("bready")?,
                araddr: l("araddr")?,
                arvalid: l("arvalid")?,
                arready: l("arready")?,
                rdata: sized("s_axil_rdata", 32)?,
                rresp: l("rresp")?,
                rvalid: l("rvalid")?,
                rready: l("rready")?,
            },
            axi: Axi {
                araddr: m("araddr")?,
                arlen: sized("m_axi_arlen", 8)?,
                arsize: m("arsize")?,
                arburst: m("arburst")?,
                arvalid: m("arvalid")?,
                arready: m("arready")?,
                rdata: sized("m_axi_rdata", bus_bits)?,
                rresp: m("rresp")?,
                rlast: m("rlast")?,
                rvalid: m("rvalid")?,
                rready: m("rready")?,
            },
            writes: match dut.port("m_axi_awvalid") {
                Err(_) => None,
                Ok(_) => Some(AxiWrite {
                    awaddr: m("awaddr")?,
                    awlen: sized("m_axi_awlen", 8)?,
                    awsize: m("awsize")?,
                    awburst: m("awburst")?,
                    awvalid: m("awvalid")?,
                    awready: m("awready")?,
                    wdata: sized("m_axi_wdata", bus_bits)?,
                    wstrb: sized("m_axi_wstrb", bus_bits / 8)?,
                    wlast: m("wlast")?,
                    wvalid: m("wvalid")?,
                    wready: m("wready")?,
                    bresp: m("bresp")?,
                    bvalid: m("bvalid")?,
                    bready: m("bready")?,
                }),
            },
            logits: [
                raw("m_axis_logits_tvalid")?,
                raw("m_axis_logits_tready")?,
                sized("m_axis_logits_tdata", 32 * slots)?,
                raw("m_axis_logits_tlast")?,
            ],
            slots,
            apart: if slots > 1 { Some(t("apart", 1)?) } else { None },
            stall: test_port("stall_i", 8)?,
            start: t("start", 4)?,
            done: t("done", 4)?,
            traces,
            _blank: blank,
        })
    }
}
