//! What drives each input of the core's units.

use crate::config::Config;
use crate::hdl::assembly::{row, Row};
use crate::isa::FORMATS;

/// Bits of `stall_i`, in order: what a set bit holds back.
pub const STALL_POINTS: [&str; 8] = [
    "weight fifo to mat",
    "param fifo to vec",
    "drain to vmem",
    "wkv y to vmem",
    "mat start",
    "vec start",
    "wkv start",
    "dma issue",
];

/// Whether a port is there for tests only.
pub fn is_trace(port: &str) -> bool {
    port.starts_with("trace_")
}

/// What drives input `port` of unit `name`, if a table has a row for it: `STREAMED_SLOTS` and `STREAMED` come first where the state lies
/// in memory. What all units with a program have alike is in none of them.
pub fn input_of(name: &str, port: &str, config: &Config) -> Option<String> {
    let tables: &[&[Row]] = match (config.streams_state(), config.sessions) {
        (false, _) => &[INPUTS],
        (true, 1) => &[STREAMED, INPUTS],
        (true, _) => &[STREAMED_SLOTS, STREAMED, INPUTS],
    };
    row(tables, name, port).or_else(|| {
        // every unit with a program takes its instructions from its own fetch unit
        let unit = name.strip_suffix("_fetch").unwrap_or(name);
        let index = FORMATS.iter().position(|f| f.name == unit)?;
        match port {
            "start_i" => Some("token_start".into()),
            "no_head_i" => Some("regs_no_head".into()),
            "prog_we_i" => Some(format!("regs_prog_we[{index}]")),
            "prog_lane_i" | "prog_idx_i" | "prog_wdata_i" => Some(format!("regs_{}", port.trim_end_matches("_i"))),
            "instr_ready_i" => Some(format!("{unit}_instr_ready")),
            "instr_valid_i" | "instr_i" | "instr_idx_i" => {
                Some(format!("{unit}_fetch_{}", port.trim_end_matches("_i")))
            }
            _ => None,
        }
    })
}

/// The rows of every design.
const INPUTS: &[Row] = &[
    ("dma_fetch", "stall_i", "stall_i[7]"),
    ("dma_fetch", "done_a_i", "token_count_vec"),
    ("dma_fetch", "done_b_i", "token_count_vec"),
    ("mat_fetch", "stall_i", "stall_i[4]"),
    ("mat_fetch", "done_a_i", "token_count_vec"),
    ("mat_fetch", "done_b_i", "token_count_vec"),
    ("vec_fetch", "stall_i", "stall_i[5]"),
    ("vec_fetch", "done_a_i", "token_count_mat"),
    ("vec_fetch", "done_b_i", "token_count_wkv"),
    ("wkv_fetch", "stall_i", "stall_i[6]"),
    ("wkv_fetch", "done_a_i", "token_count_vec"),
    ("wkv_fetch", "done_b_i", "token_count_vec"),
    ("dma", "image_base_i", "regs_image_base"),
    ("dma", "token_i", "regs_token"),
    ("dma", "w_ready_i", "weights_in_ready"),
    ("dma", "p_ready_i", "params_in_ready"),
    ("dma", "run_valid_i", "columns_run_valid"),
    ("dma", "run_first_i", "columns_run_first"),
    ("dma", "run_len_i", "columns_run_len"),
    ("dma", "run_last_i", "columns_run_last"),
    ("columns", "xw_en_i", "vec_xw_en"),
    ("columns", "xw_addr_i", "vec_xw_addr"),
    ("columns", "xw_data_i", "vec_xw_data"),
    ("columns", "start_i", "dma_scan"),
    ("columns", "x_addr_i", "dma_scan_x_addr"),
    ("columns", "cols_i", "dma_scan_cols"),
    ("columns", "run_ready_i", "dma_run_ready"),
    ("columns", "col_ready_i", "mat_col_ready"),
    ("columns", "active_i", "regs_active"),
    ("wkv", "active_i", "regs_active"),
    ("wkv", "prefill_i", "regs_prefill"),
    ("wkv", "home_i", "regs_home"),
    ("mat", "col_valid_i", "columns_col_valid"),
    ("mat", "col_i", "columns_col"),
    ("mat", "col_last_i", "columns_col_last"),
    ("regs", "skipped_i", "columns_skipped"),
    ("weights", "in_valid_i", "dma_w_valid"),
    ("weights", "in_data_i", "dma_w_data"),
    ("weights", "out_ready_i", "mat_w_ready && !stall_i[0]"),
    ("params", "in_valid_i", "dma_p_valid"),
    ("params", "in_data_i", "dma_p_data"),
    ("params", "out_ready_i", "vec_p_ready && !stall_i[1]"),
    ("mat", "w_valid_i", "weights_out_valid && !stall_i[0]"),
    ("mat", "w_data_i", "weights_out_data"),
    ("mat", "xr_data_i", "xmem_rdata"),
    ("mat", "xexp_i", "xexp_exp"),
    ("mat", "d_ready_i", "vmem_d_ready && !stall_i[2]"),
    ("mat", "logit_ready_i", "m_axis_logits_tready || !regs_logits_on"),
    ("vec", "va_data_i", "vmem_va_data"),
    ("vec", "vb_data_i", "vmem_vb_data"),
    ("vec", "vw_ready_i", "vmem_vw_ready"),
    ("vec", "p_valid_i", "params_out_valid && !stall_i[1]"),
    ("vec", "p_data_i", "params_out_data"),
    ("wkv", "kw_en_i", "vec_kw_en"),
    ("wkv", "kw_slot_i", "vec_kw_slot"),
    ("wkv", "kw_addr_i", "vec_kw_addr"),
    ("wkv", "kw_data_i", "vec_kw_data"),
    ("wkv", "exp_we_i", "vec_exp_we && vec_exp_wkv"),
    ("wkv", "exp_slot_i", "vec_exp_slot[2:0]"),
    ("wkv", "exp_i", "vec_exp"),
    ("wkv", "clear_i", "clear_slots"),
    ("wkv", "y_ready_i", "vmem_y_ready && !stall_i[3]"),
    ("vmem", "va_en_i", "vec_va_en"),
    ("vmem", "va_addr_i", "vec_va_addr"),
    ("vmem", "vb_en_i", "vec_vb_en"),
    ("vmem", "vb_addr_i", "vec_vb_addr"),
    ("vmem", "d_valid_i", "mat_d_valid && !stall_i[2]"),
    ("vmem", "d_addr_i", "mat_d_addr"),
    ("vmem", "d_data_i", "mat_d_data"),
    ("vmem", "y_valid_i", "wkv_y_valid && !stall_i[3]"),
    ("vmem", "y_addr_i", "wkv_y_addr"),
    ("vmem", "y_data_i", "wkv_y_data"),
    ("vmem", "vw_valid_i", "vec_vw_valid"),
    ("vmem", "vw_addr_i", "vec_vw_addr"),
    ("vmem", "vw_data_i", "vec_vw_data"),
    ("vmem", "clear_i", "token_clear"),
    ("xmem", "we_i", "vec_xw_en"),
    ("xmem", "waddr_i", "x_waddr"),
    ("xmem", "wdata_i", "vec_xw_data"),
    ("xmem", "re_i", "mat_xr_en"),
    ("xmem", "raddr_i", "x_raddr"),
    ("xexp", "we_i", "vec_exp_we && !vec_exp_wkv"),
    ("xexp", "slot_i", "vec_exp_slot"),
    ("xexp", "exp_i", "vec_exp"),
    ("xexp", "sel_i", "mat_xexp_sel"),
    ("token", "start_req_i", "regs_start"),
    ("token", "clear_req_i", "regs_clear"),
    ("token", "clear_busy_i", "(|vmem_clear_busy) || wkv_clear_busy"),
    ("token", "handover_i", "handover"),
    ("token", "done_i", "done"),
    ("token", "last_handed_i", "last_handed"),
    ("regs", "busy_i", "token_busy"),
    ("regs", "started_i", "token_start"),
    ("regs", "running_i", "token_running"),
    ("regs", "finished_i", "token_finished"),
    ("regs", "argmax_i", "mat_argmax"),
    ("regs", "read_error_i", "dma_error"),
    ("regs", "beat_i", "dma_beat"),
    ("regs", "sat_mat_i", "sat_mat"),
    ("regs", "sat_vec_i", "sat_vec"),
    ("regs", "sat_wkv_i", "wkv_sat"),
    ("regs", "event_i", "events"),
    ("regs", "lost_i", "lost"),
];

/// What a state in memory adds, or drives otherwise.
const STREAMED: &[Row] = &[
    ("dma", "state_base_i", "regs_state_base"),
    ("dma", "zero_i", "token_zero"),
    ("dma", "s_ready_i", "wkv_s_ready"),
    ("wkv", "s_valid_i", "dma_s_valid"),
    ("wkv", "s_data_i", "dma_s_data"),
    ("wkv", "so_ready_i", "state_writer_r_ready"),
    ("vec", "sw_ready_i", "state_writer_v_ready"),
    ("state_writer", "start_i", "token_start"),
    ("state_writer", "base_i", "regs_state_base"),
    ("state_writer", "r_valid_i", "wkv_so_valid"),
    ("state_writer", "r_data_i", "wkv_so_data"),
    ("state_writer", "r_flush_i", "wkv_so_flush"),
    ("state_writer", "v_valid_i", "vec_sw_valid"),
    ("state_writer", "v_data_i", "vec_vw_data"),
    ("state_writer", "v_last_i", "vec_sw_last"),
    ("token", "clear_busy_i", "vmem_clear_busy"),
    ("token", "quiet_i", "state_writer_idle"),
    ("regs", "read_error_i", "dma_error || state_writer_error"),
];

/// What a state in memory adds with several sessions.
const STREAMED_SLOTS: &[Row] = &[
    ("dma", "slots_i", "state_slots"),
    ("state_writer", "slots_i", "state_slots"),
    ("state_writer", "r_slot_i", "wkv_so_slot"),
    ("state_writer", "v_slot_i", "vec_sw_slot"),
    ("state_writer", "v_data_i", "session_word"),
    ("token", "active_i", "regs_active"),
    ("token", "slots_i", "state_slots"),
    ("token", "clear_busy_i", "|vmem_clear_busy"),
];
