//! What drives each input of the core's units.

use crate::blocks::prelude::*;
use crate::hdl::assembly::{driver, Table};
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

/// The tables of a configuration; what an earlier one says goes before what a later one says.
pub fn tables(config: &Config) -> Vec<Table> {
    match (config.streams_state(), config.sessions) {
        (false, _) if config.state_port => vec![state_port(), inputs()],
        (false, _) => vec![inputs()],
        (true, 1) => vec![streamed(), inputs()],
        (true, _) => vec![streamed_slots(), streamed(), inputs()],
    }
}

/// What drives input `port` of unit `name`: what `tables` says, or what all units with a program have in common.
pub fn input_of(name: &str, port: &str, tables: &[Table]) -> Option<String> {
    driver(tables, name, port).or_else(|| {
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
fn inputs() -> Table {
    table! {
        dma_fetch { stall_i: "stall_i[7]", done_a_i: token_count_vec, done_b_i: token_count_vec }
        mat_fetch { stall_i: "stall_i[4]", done_a_i: token_count_vec, done_b_i: token_count_vec }
        vec_fetch { stall_i: "stall_i[5]", done_a_i: token_count_mat, done_b_i: token_count_wkv }
        wkv_fetch { stall_i: "stall_i[6]", done_a_i: token_count_vec, done_b_i: token_count_vec }
        reset { chip_rst_ni: rst_ni, abort_i: regs_abort, bus_quiet_i: dma_idle }
        logits {
            in_valid_i: "mat_logit_valid && regs_logits_on", in_data_i: "{mat_logit_last, logits_tdata}",
            out_ready_i: m_axis_logits_tready,
        }
        dma {
            stop_i: reset_stop, image_base_i: regs_image_base, token_i: regs_token, w_ready_i: weights_in_ready, p_ready_i: params_in_ready,
            run_valid_i: columns_run_valid, run_first_i: columns_run_first, run_len_i: columns_run_len,
            run_last_i: columns_run_last,
        }
        columns {
            xw_en_i: vec_xw_en, xw_addr_i: vec_xw_addr, xw_data_i: vec_xw_data, start_i: dma_scan,
            x_addr_i: dma_scan_x_addr, cols_i: dma_scan_cols, run_ready_i: dma_run_ready, col_ready_i: mat_col_ready,
            active_i: regs_active,
        }
        wkv {
            active_i: regs_active, prefill_i: regs_prefill, home_i: regs_home, kw_en_i: vec_kw_en,
            kw_slot_i: vec_kw_slot, kw_addr_i: vec_kw_addr, kw_data_i: vec_kw_data,
            exp_we_i: "vec_exp_we && vec_exp_wkv", exp_slot_i: "vec_exp_slot[2:0]", exp_i: vec_exp,
            clear_i: clear_slots, y_ready_i: "vmem_y_ready && !stall_i[3]",
        }
        mat {
            col_valid_i: columns_col_valid, col_i: columns_col, col_last_i: columns_col_last,
            w_valid_i: "weights_out_valid && !stall_i[0]", w_data_i: weights_out_data, xr_data_i: xmem_rdata,
            xexp_i: xexp_exp, d_ready_i: "vmem_d_ready && !stall_i[2]",
            logit_ready_i: "logits_in_ready || !regs_logits_on",
        }
        regs {
            bus_rst_ni: bus_rst_ni, down_i: reset_down, skipped_i: columns_skipped, busy_i: "token_busy || reset_stop", started_i: token_start, running_i: token_running,
            finished_i: token_finished, argmax_i: mat_argmax, read_error_i: dma_error, beat_i: dma_beat,
            sat_mat_i: sat_mat, sat_vec_i: sat_vec, sat_wkv_i: wkv_sat, event_i: events, lost_i: lost,
        }
        weights { in_valid_i: dma_w_valid, in_data_i: dma_w_data, out_ready_i: "mat_w_ready && !stall_i[0]" }
        params { in_valid_i: dma_p_valid, in_data_i: dma_p_data, out_ready_i: "vec_p_ready && !stall_i[1]" }
        vec {
            va_data_i: vmem_va_data, vb_data_i: vmem_vb_data, vw_ready_i: vmem_vw_ready,
            p_valid_i: "params_out_valid && !stall_i[1]", p_data_i: params_out_data,
        }
        vmem {
            va_en_i: vec_va_en, va_addr_i: vec_va_addr, vb_en_i: vec_vb_en, vb_addr_i: vec_vb_addr,
            d_valid_i: "mat_d_valid && !stall_i[2]", d_addr_i: mat_d_addr, d_data_i: mat_d_data,
            y_valid_i: "wkv_y_valid && !stall_i[3]", y_addr_i: wkv_y_addr, y_data_i: wkv_y_data,
            vw_valid_i: vec_vw_valid, vw_addr_i: vec_vw_addr, vw_data_i: vec_vw_data, clear_i: token_clear,
        }
        xmem { we_i: vec_xw_en, waddr_i: x_waddr, wdata_i: vec_xw_data, re_i: mat_xr_en, raddr_i: x_raddr }
        xexp { we_i: "vec_exp_we && !vec_exp_wkv", slot_i: vec_exp_slot, exp_i: vec_exp, sel_i: mat_xexp_sel }
        token {
            start_req_i: regs_start, clear_req_i: regs_clear, clear_busy_i: "(|vmem_clear_busy) || wkv_clear_busy",
            handover_i: handover, done_i: done, last_handed_i: last_handed,
        }
    }
}

/// What a port to the state on the chip adds, or drives otherwise. It asks only between tokens.
fn state_port() -> Table {
    table! {
        state_port {
            busy_i: token_busy, at_we_i: regs_state_at_we, data_we_i: regs_state_data_we, data_re_i: regs_state_data_re,
            data_i: regs_state_data, s_data_i: wkv_host_data, va_data_i: vmem_va_data, y_ready_i: vmem_y_ready,
        }
        regs { state_data_i: state_port_data, state_wait_i: state_port_wait }
        wkv {
            host_re_i: state_port_s_re, host_we_i: state_port_s_we, host_addr_i: state_port_s_addr,
            host_data_i: state_port_s_data,
        }
        vmem {
            va_en_i: "vec_va_en || state_port_va_en",
            va_addr_i: "state_port_va_en ? state_port_va_addr : vec_va_addr",
            y_valid_i: "(wkv_y_valid && !stall_i[3]) || state_port_y_valid",
            y_addr_i: "state_port_y_valid ? state_port_y_addr : wkv_y_addr",
            y_data_i: "state_port_y_valid ? state_port_y_data : wkv_y_data",
        }
    }
}

/// What a state in memory adds, or drives otherwise.
fn streamed() -> Table {
    table! {
        dma { state_base_i: regs_state_base, zero_i: token_zero, s_ready_i: wkv_s_ready }
        wkv { s_valid_i: dma_s_valid, s_data_i: dma_s_data, so_ready_i: state_writer_r_ready }
        vec { sw_ready_i: state_writer_v_ready }
        reset { bus_quiet_i: "dma_idle && state_writer_quiet" }
        state_writer {
            stop_i: reset_stop, start_i: token_start, base_i: regs_state_base, r_valid_i: wkv_so_valid, r_data_i: wkv_so_data,
            r_flush_i: wkv_so_flush, v_valid_i: vec_sw_valid, v_data_i: vec_vw_data, v_last_i: vec_sw_last,
        }
        token { clear_busy_i: vmem_clear_busy, quiet_i: state_writer_idle }
        regs { read_error_i: "dma_error || state_writer_error", pending_i: token_zero }
    }
}

/// What a state in memory adds with several sessions.
fn streamed_slots() -> Table {
    table! {
        dma { slots_i: state_slots }
        state_writer { slots_i: state_slots, r_slot_i: wkv_so_slot, v_slot_i: vec_sw_slot, v_data_i: session_word }
        token { active_i: regs_active, slots_i: state_slots, clear_busy_i: "|vmem_clear_busy" }
    }
}
