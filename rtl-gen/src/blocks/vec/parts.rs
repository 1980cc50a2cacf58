//! The instances in the vector unit and what connects them.

use crate::blocks::prelude::*;
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

/// Finished words that may wait for vmem: the pipeline stops a cycle after a refused one.
const RESULTS: usize = 2;

/// Parameter beats that may wait in front of the gear, so that the issue of a word decides nothing outside the unit.
const BEATS: usize = 2;

/// Instructions that may be in the pipeline at once.
const RECORDS: usize = 4;

/// Places the parts of `vec` in `m`, whose wires (`rtl/vec/wires.sv`) they are connected to.
pub(in crate::blocks) fn parts(m: &mut Module, config: &Config) {
    let lanes = config.vlanes();
    instance! { m, "u_issue", vec_issue(config);
        p_valid_i: p_valid, sum_popped_i: pop_sum, begin_o: begin_red, shift_o: issue_shift, record_o: issue_record, ..
    }
    instance! { m, "u_control", vec_control(config);
        shift_i: issue_shift, lut_i: f_lut, lut_shift_i: f_lut_shift, scalar_shift_i: scalar_shift_q, shift_o: shift_6,
        pshift_o: pshift_7, lut_shift_o: lut_shift_l1, lut_o: lut_l4, ..
    }
    instance! { m, "u_results", fifo(lanes * (VEC_BITS + 1) + 3, RESULTS);
        in_valid_i: w_push, in_ready_o: unused_results_ready, in_data_i: "{w_last, w_red, w_to_vmem, clip, o}",
        out_valid_o: r_valid, out_ready_i: commit, out_data_o: "{r_last, r_red, r_to_vmem, r_clip, r_o}",
    }
    instance! { m, "u_write", vec_write(config);
        valid_i: r_valid, to_vmem_i: r_to_vmem, last_i: r_last, o_i: r_o, clip_i: r_clip, ..
    }
    instance! { m, "u_finish", vec_finish(); finish_red_i: r_red, last_scalar_i: scalar_last, full_o: report_full, .. }
    instance! { m, "u_records", fifo(record(config).bits(), RECORDS);
        in_valid_i: open, in_ready_o: record_ready, in_data_i: issue_record, out_valid_o: record_valid,
        out_ready_i: finish, out_data_o: record,
    }
    instance! { m, "u_beats", fifo(config.bus_bits, BEATS);
        in_valid_i: p_valid_i, in_ready_o: p_ready_o, in_data_i: p_data_i, out_valid_o: beat_valid,
        out_ready_i: beat_ready, out_data_o: beat,
    }
    instance! { m, "u_params", param_gear(config);
        p_valid_i: beat_valid, p_ready_o: beat_ready, p_data_i: beat, valid_o: p_valid, data_o: p_word,
        take_i: take_params, ..
    }
    instance! { m, "u_sreg", sreg(config);
        waddr_i: scalar_seg, mean_we_i: mean_keep, mean_i: scalar_value, mult_we_i: mult_keep, mult_i: scalar_value,
        shift_we_i: shift_keep, shift_i: scalar_shift, re_i: go, raddr_i: seg, mean_o: s_mean, mult_o: s_mult,
        shift_o: s_shift,
    }
    let lane = vec_lane(param_bits(config));
    for l in 0..lanes {
        let slice = |name: &str, bits: usize| format!("{name}[{}:{}]", bits * l + bits - 1, bits * l);
        instance! { m, format!("u_lane_{l}"), lane;
            v_i: v, lv_i: lv, a_i: slice("a_2_q", VEC_BITS), b_i: slice("b_2_q", VEC_BITS),
            p_i: slice("p_2_q", param_bits(config)), mean_i: mean_2_q, mult_i: mult_2_q, x_is_i: x_is_2_q,
            m_is_i: m_is_2_q, c_is_i: c_is_2_q, live_i: format!("live[{l}]"), shift_i: shift_6, pshift_i: pshift_7,
            lut_shift_i: lut_shift_l1, lut_i: lut_l4, live_end_i: format!("live_end[{l}]"),
            t_o: slice("t", PRODUCT_BITS), o_o: slice("o", VEC_BITS), clip_o: format!("clip[{l}]"),
        }
    }
    instance! { m, "u_reduce", vec_reduce(config);
        product_i: red_product_q, o_valid_i: w_sum, o_end_i: w_seg_end, o_last_i: w_last, sum_ready_i: pop_sum, ..
    }
    instance! { m, "u_scalar", vec_scalar(config);
        start_i: begin_red, post_i: f_post, k_const_i: f_k_const, k_shift_i: f_k_shift, eps_m_i: f_eps_m,
        eps_s_i: f_eps_s, rsq_base_i: f_rsq_base, sum_ready_o: pop_sum, seg_o: scalar_seg, value_o: scalar_value,
        shift_o: scalar_shift, last_o: scalar_last, sat_o: scalar_sat, busy_o: unused_scalar_busy, ..
    }
}
