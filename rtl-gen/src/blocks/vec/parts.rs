//! The instances in the vector unit and what connects them.

use crate::blocks::prim::fifo;
use crate::blocks::vec::control::vec_control;
use crate::blocks::vec::finish::vec_finish;
use crate::blocks::vec::issue::vec_issue;
use crate::blocks::vec::lane::vec_lane;
use crate::blocks::vec::param_gear::param_gear;
use crate::blocks::vec::reduce::vec_reduce;
use crate::blocks::vec::scalar::vec_scalar;
use crate::blocks::vec::sizes::{param_bits, record, PRODUCT_BITS};
use crate::blocks::vec::sreg::sreg;
use crate::blocks::vec::write::vec_write;
use crate::config::{Config, VEC_BITS};
use crate::hdl::Module;

/// Finished words that may wait for vmem: the pipeline hears of a refused one a cycle later.
const RESULTS: usize = 2;

/// Parameter beats that may wait in front of the gear, so that the issue of a word decides nothing outside the unit.
const BEATS: usize = 2;

/// Instructions that may be in the pipeline at once.
const RECORDS: usize = 4;

/// Places the parts of `vec` in `m`, whose wires (`rtl/vec/wires.sv`) they are connected to.
pub(in crate::blocks) fn parts(m: &mut Module, config: &Config) {
    let lanes = config.vlanes();
    let wide = config.streams_state();
    let mut issue = vec![
        ("instr_valid_i", "instr_valid_i"),
        ("instr_ready_o", "instr_ready_o"),
        ("instr_i", "instr_i"),
        ("instr_idx_i", "instr_idx_i"),
        ("en_i", "en"),
        ("drained_i", "drained"),
        ("record_ready_i", "record_ready"),
        ("red_busy_i", "red_busy"),
        ("report_full_i", "report_full"),
        ("p_valid_i", "p_valid"),
        ("sum_popped_i", "pop_sum"),
        ("amax_i", "amax"),
        ("va_en_o", "va_en_o"),
        ("va_addr_o", "va_addr_o"),
        ("vb_en_o", "vb_en_o"),
        ("vb_addr_o", "vb_addr_o"),
        ("go_o", "go"),
        ("open_o", "open"),
        ("begin_o", "begin_red"),
        ("last_o", "last"),
        ("reduce_o", "reduce"),
        ("take_params_o", "take_params"),
        ("seg_o", "seg"),
        ("shift_o", "issue_shift"),
        ("tag_o", "tag"),
        ("record_o", "issue_record"),
    ];
    issue.extend(wide.then_some(("wide_o", "wide")));
    m.instance("u_issue", &vec_issue(config), &issue);
    m.instance(
        "u_control",
        &vec_control(config),
        &[
            ("go_i", "go"),
            ("en_i", "en"),
            ("tag_i", "tag"),
            ("shift_i", "issue_shift"),
            ("pshift_i", "pshift"),
            ("lut_i", "f_lut"),
            ("lut_shift_i", "f_lut_shift"),
            ("scalar_shift_i", "scalar_shift_q"),
            ("s_shift_i", "s_shift"),
            ("v_o", "v"),
            ("lv_o", "lv"),
            ("live_o", "live"),
            ("shift_o", "shift_6"),
            ("pshift_o", "pshift_7"),
            ("t_valid_o", "t_valid"),
            ("t_end_o", "t_end"),
            ("t_last_o", "t_last"),
            ("lut_shift_o", "lut_shift_l1"),
            ("lut_o", "lut_l4"),
            ("live_end_o", "live_end"),
            ("w_valid_o", "w_valid"),
            ("w_to_vmem_o", "w_to_vmem"),
            ("w_red_o", "w_red"),
            ("w_seg_end_o", "w_seg_end"),
            ("w_last_o", "w_last"),
        ],
    );
    m.instance(
        "u_results",
        &fifo(lanes * (VEC_BITS + 1) + 3, RESULTS),
        &[
            ("in_valid_i", "w_push"),
            ("in_ready_o", "unused_results_ready"),
            ("in_data_i", "{w_last, w_red, w_to_vmem, clip, o}"),
            ("out_valid_o", "r_valid"),
            ("out_ready_i", "commit"),
            ("out_data_o", "{r_last, r_red, r_to_vmem, r_clip, r_o}"),
        ],
    );
    let write = vec_write(config);
    let mut connections = vec![
        ("valid_i", "r_valid"),
        ("to_vmem_i", "r_to_vmem"),
        ("last_i", "r_last"),
        ("record_i", "record"),
        ("o_i", "r_o"),
        ("clip_i", "r_clip"),
        ("en_o", "en"),
        ("commit_o", "commit"),
        ("finish_o", "finish"),
        ("amax_o", "amax"),
        ("clipped_o", "clipped"),
    ];
    // the others are ports of the unit
    let named = |name: &str| connections.iter().any(|c| c.0 == name) || name == "clk_i" || name == "rst_ni";
    let rest: Vec<_> = write.ports.iter().map(|p| p.name.as_str()).filter(|name| !named(name)).collect();
    connections.extend(rest.into_iter().map(|name| (name, name)));
    m.instance("u_write", &write, &connections);
    m.instance(
        "u_finish",
        &vec_finish(),
        &[
            ("open_red_i", "open_red"),
            ("finish_i", "finish"),
            ("finish_red_i", "r_red"),
            ("last_scalar_i", "scalar_last"),
            ("red_busy_o", "red_busy"),
            ("done_o", "done_o"),
            ("full_o", "report_full"),
            ("pending_o", "pending"),
        ],
    );
    m.instance(
        "u_records",
        &fifo(record(config).bits(), RECORDS),
        &[
            ("in_valid_i", "open"),
            ("in_ready_o", "record_ready"),
            ("in_data_i", "issue_record"),
            ("out_valid_o", "record_valid"),
            ("out_ready_i", "finish"),
            ("out_data_o", "record"),
        ],
    );
    m.instance(
        "u_beats",
        &fifo(config.bus_bits, BEATS),
        &[
            ("in_valid_i", "p_valid_i"),
            ("in_ready_o", "p_ready_o"),
            ("in_data_i", "p_data_i"),
            ("out_valid_o", "beat_valid"),
            ("out_ready_i", "beat_ready"),
            ("out_data_o", "beat"),
        ],
    );
    let mut gear = vec![
        ("start_i", "start_i"),
        ("p_valid_i", "beat_valid"),
        ("p_ready_o", "beat_ready"),
        ("p_data_i", "beat"),
        ("valid_o", "p_valid"),
        ("data_o", "p_word"),
        ("take_i", "take_params"),
        ("last_i", "last"),
    ];
    gear.extend(wide.then_some(("wide_i", "wide")));
    m.instance("u_params", &param_gear(config), &gear);
    m.instance(
        "u_sreg",
        &sreg(config),
        &[
            ("waddr_i", "scalar_seg"),
            ("mean_we_i", "mean_keep"),
            ("mean_i", "scalar_value"),
            ("mult_we_i", "mult_keep"),
            ("mult_i", "scalar_value"),
            ("shift_we_i", "shift_keep"),
            ("shift_i", "scalar_shift"),
            ("re_i", "go"),
            ("raddr_i", "seg"),
            ("mean_o", "s_mean"),
            ("mult_o", "s_mult"),
            ("shift_o", "s_shift"),
        ],
    );
    let lane = vec_lane(param_bits(config));
    for l in 0..lanes {
        let slice = |name: &str, bits: usize| format!("{name}[{}:{}]", bits * l + bits - 1, bits * l);
        m.instance(
            &format!("u_lane_{l}"),
            &lane,
            &[
                ("clk_i", "clk_i"),
                ("v_i", "v"),
                ("lv_i", "lv"),
                ("a_i", &slice("a_2_q", VEC_BITS)),
                ("b_i", &slice("b_2_q", VEC_BITS)),
                ("p_i", &slice("p_2_q", param_bits(config))),
                ("mean_i", "mean_2_q"),
                ("mult_i", "mult_2_q"),
                ("x_is_i", "x_is_2_q"),
                ("m_is_i", "m_is_2_q"),
                ("c_is_i", "c_is_2_q"),
                ("live_i", &format!("live[{l}]")),
                ("shift_i", "shift_6"),
                ("pshift_i", "pshift_7"),
                ("lut_shift_i", "lut_shift_l1"),
                ("lut_i", "lut_l4"),
                ("live_end_i", &format!("live_end[{l}]")),
                ("t_o", &slice("t", PRODUCT_BITS)),
                ("o_o", &slice("o", VEC_BITS)),
                ("clip_o", &format!("clip[{l}]")),
            ],
        );
    }
    m.instance(
        "u_reduce",
        &vec_reduce(config),
        &[
            ("product_i", "red_product_q"),
            ("t_valid_i", "t_valid"),
            ("t_end_i", "t_end"),
            ("t_last_i", "t_last"),
            ("t_i", "t"),
            ("o_valid_i", "w_sum"),
            ("o_end_i", "w_seg_end"),
            ("o_last_i", "w_last"),
            ("o_i", "o"),
            ("sum_valid_o", "sum_valid"),
            ("sum_ready_i", "pop_sum"),
            ("sum_last_o", "sum_last"),
            ("sum_o", "sum"),
        ],
    );
    m.instance(
        "u_scalar",
        &vec_scalar(config),
        &[
            ("start_i", "begin_red"),
            ("post_i", "f_post"),
            ("k_const_i", "f_k_const"),
            ("k_shift_i", "f_k_shift"),
            ("eps_m_i", "f_eps_m"),
            ("eps_s_i", "f_eps_s"),
            ("rsq_base_i", "f_rsq_base"),
            ("sum_valid_i", "sum_valid"),
            ("sum_ready_o", "pop_sum"),
            ("sum_last_i", "sum_last"),
            ("sum_i", "sum"),
            ("seg_o", "scalar_seg"),
            ("mean_we_o", "mean_we"),
            ("mult_we_o", "mult_we"),
            ("shift_we_o", "shift_we"),
            ("value_o", "scalar_value"),
            ("shift_o", "scalar_shift"),
            ("last_o", "scalar_last"),
            ("sat_o", "scalar_sat"),
            ("busy_o", "unused_scalar_busy"),
        ],
    );
}
