//! Column skip: which columns of a matrix stored by columns meet an operand that is not 0.

use super::column_map::column_map;
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;
use crate::isa::DMA;
pub use crate::widths::{COLUMN_BITS, RUN_COLUMNS};

/// Columns that may be on their way to the matrix unit. That is more than a run, because the columns of a run that is not asked for yet
/// wait here, too.
const COLUMNS_AHEAD: usize = 64;

/// Walks the map of one operand, and lists columns for the matrix unit and runs of them for the stream reader.
pub fn columns(config: &Config) -> Arc<Module> {
    let (vl, slots) = (config.vlanes(), config.sessions);
    let addr = index_bits(config.xmem_words());
    let runs_ahead = 4; // runs that may wait for the stream reader
    let mut m = Module::new(
        "columns",
        format!(
            "Column skip: finds out which columns of a matrix stored by columns meet an operand that is not 0.\n\
             start_i (while idle) begins a walk over the {vl}-element words of an operand of cols_i elements, each as soon as it is written.\n\
             Words are written in order, the last write before them lies outside the operand, and none to another word follows before the\n\
             walk is over. Columns go to the matrix unit in order (col_*, up to {COLUMNS_AHEAD} ahead), the last one marked. Runs of columns that\n\
             follow each other go to the stream reader (run_*), the last one marked; none is longer than {RUN_COLUMNS} or crosses a multiple of\n\
             {RUN_COLUMNS}. If every operand is 0, column 0 is read all the same, because the units need one. A word takes a cycle, or as many\n\
             as it has columns. A run is handed over after all its columns but the last, which goes with it, so waiting for room cannot block.\n\
             Latency: start_i to the first run seven cycles and the columns of the run; from the write of a word to its first column five.\n\
             skipped_o is not 0 in one cycle and then says how many columns of this operand are not read."
        ),
    );
    ports! { m;
        xw_en_i "a word of operands is written", xw_addr_i[WORD_ADDR_BITS],
        xw_data_i[slots * vl * OPERAND_BITS] "slot 0 lowest",
    }
    if slots > 1 {
        ports! { m; active_i[slots] "slots whose operands count; stable while a token runs" }
    }
    ports! { m;
        start_i, x_addr_i[WORD_ADDR_BITS] "word of the operand's first element",
        cols_i[DMA.field("cols").1] "elements, 1 to 2^14; those that fill up the last word are 0", run_valid_o,
        run_ready_i, run_first_o[COLUMN_BITS] "its first column", run_len_o[RUN_BITS], run_last_o, col_valid_o,
        col_ready_i, col_o[COLUMN_BITS], col_last_o, skipped_o[COLUMN_BITS + 1],
    }
    m.sizes(&[("LANES", vl), ("ADDR_BITS", addr)]).body(rtl!("dma/columns"));
    instance! { m, "u_map", column_map(config);
        we_i: xw_en_i, waddr_i: xw_addr, wdata_i: xw_data_i, re_i: read, raddr_i: addr_q, ..
    }
    instance! { m, "u_runs", fifo(COLUMN_BITS + RUN_BITS + 1, runs_ahead);
        in_valid_i: run_end, in_ready_o: run_room, in_data_i: "{finish, run_q, first_q}", out_valid_o: run_valid_o,
        out_ready_i: run_ready_i, out_data_o: "{run_last_o, run_len_o, run_first_o}",
    }
    instance! { m, "u_columns", fifo(COLUMN_BITS + 1, COLUMNS_AHEAD);
        in_valid_i: push, in_ready_o: col_room, in_data_i: "{finish, kept_q}", out_valid_o: col_valid_o,
        out_ready_i: col_ready_i, out_data_o: "{col_last_o, col_o}",
    }
    m.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the contract says about blocking rests on it.
    #[test]
    fn a_run_fits_the_queue_of_columns() {
        const { assert!(COLUMNS_AHEAD > 2 * RUN_COLUMNS && RUN_COLUMNS < 1 << RUN_BITS) }
        for name in ["nano", "wide", "edge"] {
            let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            let config = Config::load(std::path::Path::new(&path)).unwrap();
            crate::hdl::print(&columns(&config)).unwrap();
        }
    }
}
