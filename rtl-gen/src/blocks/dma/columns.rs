//! Which columns of a matrix stored by columns meet an operand that is not 0: found on chip, read from memory, handed to the matrix unit.

use crate::blocks::core::vmem::WORD_ADDR_BITS;
use crate::blocks::prim::{fifo, ram_1w1r};
use crate::config::{Config, OPERAND_BITS};
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Bits of a column's number.
pub const COLUMN_BITS: usize = 14;
/// Columns of a run at most, and what it ends at multiples of.
pub const RUN_COLUMNS: usize = 16;
/// Bits of a run's length.
pub const RUN_BITS: usize = 5;
/// Columns that may be on their way to the matrix unit. More than a run: the columns of a run that is not asked for yet wait here, too.
const COLUMNS_AHEAD: usize = 64;

/// One bit for each element of xmem: it is not 0.
fn column_map(config: &Config) -> Arc<Module> {
    let (vl, depth) = (config.vlanes(), config.xmem_words());
    let addr = index_bits(depth);
    let any = if config.sessions > 1 { " in an active slot" } else { "" };
    let mut m = Module::new(
        "column_map",
        format!(
            "One bit for each of the {depth} words of {vl} operands: the operand is not 0{any}. Kept by looking at what is written to xmem.\n\
             Latency: a word written in cycle T can be read (re_i) in T+2; mask_o one cycle after re_i, kept while re_i is low."
        ),
    );
    m.input("we_i", 1, "a word of operands is written").input("waddr_i", addr, "");
    m.input("wdata_i", config.sessions * vl * OPERAND_BITS, "");
    if config.sessions > 1 {
        m.input("active_i", config.sessions, "slots that count");
    }
    m.input("re_i", 1, "").input("raddr_i", addr, "").output("mask_o", vl, "bit l: element l is not 0");
    let bit = |l: usize| match config.sessions {
        1 => format!("|wdata_i[{}:{}]", 16 * l + 15, 16 * l),
        slots => {
            let at = |s: usize| 16 * (s * vl + l);
            let any = (0..slots).map(|s| format!("(active_i[{s}] && |wdata_i[{}:{}])", at(s) + 15, at(s)));
            any.collect::<Vec<_>>().join(" || ")
        }
    };
    let bits: Vec<_> = (0..vl).rev().map(bit).collect();
    m.text(
        r#"
  reg         we_q;
  reg  [{{amsb}}:0] waddr_q;
  reg  [{{vmsb}}:0] mask_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) we_q <= 1'b0;
    else we_q <= we_i;
  end

  always_ff @(posedge clk_i) begin
    if (we_i) begin
      waddr_q <= waddr_i;
      mask_q  <= { {{bits}} };
    end
  end
"#,
        &[("amsb", (addr - 1).to_string()), ("vmsb", (vl - 1).to_string()), ("bits", bits.join(", "))],
    );
    m.instance(
        "u_mem",
        &ram_1w1r(vl, depth),
        &[
            ("clk_i", "clk_i"),
            ("we_i", "we_q"),
            ("waddr_i", "waddr_q"),
            ("wdata_i", "mask_q"),
            ("re_i", "re_i"),
            ("raddr_i", "raddr_i"),
            ("rdata_o", "mask_o"),
        ],
    );
    m.done()
}

/// Walks the map of one operand: columns for the matrix unit, runs of them for the stream reader.
pub fn columns(config: &Config) -> Arc<Module> {
    let (vl, depth) = (config.vlanes(), config.xmem_words());
    let vb = vl.ilog2() as usize;
    let addr = index_bits(depth);
    let mut m = Module::new(
        "columns",
        format!(
            "Column skip: tells which columns of a matrix stored by columns meet an operand that is not 0.\n\
             start_i (idle) walks the {vl}-element words of an operand of cols_i elements, each when it is written: words are written in order,\n\
             the last write before them was outside the operand, and none to another word follows before the walk is over. Columns\n\
             go to the matrix unit in order (col_*, up to {COLUMNS_AHEAD} ahead), the last one marked; runs of columns that follow each other go to\n\
             the stream reader (run_*), none longer than {RUN_COLUMNS} or across a multiple of {RUN_COLUMNS}, the last one marked. If every operand is 0,\n\
             column 0 is read all the same: the units need one. A word takes a cycle, or as many as it has columns.\n\
             A run is handed over after all its columns but the last, which goes with it, so waiting for room cannot block.\n\
             Latency: start_i to the first run seven cycles and the columns of the run; from the write of a word to its first column five.\n\
             skipped_o is not 0 in one cycle: how many columns of this operand are not read."
        ),
    );
    m.input("xw_en_i", 1, "a word of operands is written").input("xw_addr_i", WORD_ADDR_BITS, "");
    m.input("xw_data_i", config.sessions * vl * OPERAND_BITS, "slot 0 lowest");
    if config.sessions > 1 {
        m.input("active_i", config.sessions, "slots whose operands count; stable while a token runs");
    }
    m.input("start_i", 1, "").input("x_addr_i", WORD_ADDR_BITS, "word of the operand's first element");
    m.input("cols_i", 16, "elements, 1 to 2^14; those that fill up the last word are 0");
    m.output("run_valid_o", 1, "").input("run_ready_i", 1, "").output("run_first_o", COLUMN_BITS, "its first column");
    m.output("run_len_o", RUN_BITS, "").output("run_last_o", 1, "");
    m.output("col_valid_o", 1, "").input("col_ready_i", 1, "").output("col_o", COLUMN_BITS, "").output(
        "col_last_o",
        1,
        "",
    );
    m.output("skipped_o", 15, "");
    let lane = |b: usize| {
        let from: Vec<_> = (0..vl).filter(|l| l >> b & 1 == 1).map(|l| format!("lowest[{l}]")).collect();
        from.join(" || ")
    };
    let lanes: Vec<_> = (0..vb).rev().map(lane).collect();
    let waddr = format!("xw_addr_i[{}:0]", addr - 1);
    let left_bits = 15 - vb;
    let words = match addr.cmp(&left_bits) {
        std::cmp::Ordering::Greater => format!("{{{}'b0, left_q}}", addr - left_bits),
        _ => format!("left_q[{}:0]", addr - 1),
    };
    m.text(
        r#"
  reg         busy_q;
  reg  [{{amsb}}:0] addr_q;      // next word to read
  reg  [{{wmsb}}:0] left_q;      // words to read
  reg         wrote_q, begin_q, inside_q;
  reg  [{{amsb}}:0] last_q, reach_q;  // the last word written, and one cycle later
  reg  [{{amsb}}:0] end_q;       // last word of the operand
  reg         read_q;      // the map's output is the next word
  reg  [{{vmsb}}:0] mask_q;      // columns of the present word that are still to be told
  reg  [{{cmsb}}:0] word_q;      // number of the next word
  reg  [{{cmsb}}:0] present_q;   // and of the present one
  reg         some_q;      // a column was found: the last one is kept back, it may be the end
  reg  [13:0] kept_q, first_q;  // that column, and the first of its run
  reg  [13:0] after_q;     // the column after it
  reg  [4:0]  run_q;       // columns of the run
  reg  [14:0] skip_q;      // columns not told yet

  wire [{{vmsb}}:0] mask;
  wire        run_room, col_room;

  wire        room    = run_room && col_room;
  wire [{{vmsb}}:0] lowest  = mask_q & (~mask_q + {{vl}}'d1);
  wire [{{lmsb}}:0] lane    = { {{lanes}} };
  wire [13:0] column  = {present_q, lane};
  wire        found   = (mask_q != {{vl}}'d0) && room;
  wire [{{vmsb}}:0] rest    = mask_q & ~lowest;
  wire        empty   = found ? (rest == {{vl}}'d0) : (mask_q == {{vl}}'d0);
  wire        load    = read_q && empty;
  wire        there   = inside_q && (addr_q <= reach_q);
  wire        read    = (left_q != {{wbits}}'d0) && (!read_q || load) && there;
  wire        at_end  = busy_q && (left_q == {{wbits}}'d0) && !read_q && (mask_q == {{vl}}'d0);
  wire        finish  = at_end && room;
  wire        follows = (column == after_q) && (column[3:0] != 4'd0);
  wire        push    = finish || (found && some_q);
  wire        run_end = finish || (found && some_q && !follows);
  wire [15:0] cols_up = cols_i + 16'd{{up}};

  wire        unused_start = &{1'b0, cols_up[{{lmsb}}:0], cols_i[15]{{unused}}};

  assign skipped_o = finish ? skip_q - 15'd1 : 15'd0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wrote_q  <= 1'b0;
      begin_q  <= 1'b0;
      inside_q <= 1'b0;
    end else begin
      if (xw_en_i) wrote_q <= 1'b1;
      begin_q  <= start_i;
      inside_q <= !start_i && !begin_q && wrote_q && (last_q <= end_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (xw_en_i) last_q <= {{waddr}};
    reach_q <= last_q;
    if (begin_q) end_q <= addr_q + {{words}} - {{abits}}'d1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      addr_q <= {{abits}}'d0;
      left_q <= {{wbits}}'d0;
      read_q <= 1'b0;
      mask_q <= {{vl}}'d0;
      word_q <= {{cbits}}'d0;
      present_q <= {{cbits}}'d0;
      some_q <= 1'b0;
      kept_q <= 14'd0;
      first_q <= 14'd0;
      after_q <= 14'd0;
      run_q  <= 5'd1;
      skip_q <= 15'd0;
    end else if (start_i) begin
      busy_q <= 1'b1;
      addr_q <= x_addr_i[{{amsb}}:0];
      left_q <= cols_up[{{ctop}}:{{vb}}];
      word_q <= {{cbits}}'d0;
      some_q <= 1'b0;
      kept_q <= 14'd0;
      first_q <= 14'd0;
      run_q  <= 5'd1;
      skip_q <= cols_i[14:0];
    end else begin
      if (finish) busy_q <= 1'b0;
      read_q <= read || (read_q && !load);
      if (read) begin
        addr_q <= addr_q + {{abits}}'d1;
        left_q <= left_q - {{wbits}}'d1;
      end
      if (load) begin
        mask_q <= mask;
        word_q <= word_q + {{cbits}}'d1;
        present_q <= word_q;
      end else if (found) begin
        mask_q <= rest;
      end
      if (found) begin
        some_q <= 1'b1;
        kept_q <= column;
        after_q <= column + 14'd1;
        if (some_q) skip_q <= skip_q - 15'd1;
        if (some_q && follows) begin
          run_q <= run_q + 5'd1;
        end else begin
          run_q   <= 5'd1;
          first_q <= column;
        end
      end
    end
  end
"#,
        &[
            ("vl", vl.to_string()),
            ("vmsb", (vl - 1).to_string()),
            ("vb", vb.to_string()),
            ("lmsb", (vb - 1).to_string()),
            ("abits", addr.to_string()),
            ("amsb", (addr - 1).to_string()),
            ("wbits", (15 - vb).to_string()),
            ("wmsb", (14 - vb).to_string()),
            ("ctop", "14".into()),
            ("cbits", (COLUMN_BITS - vb).to_string()),
            ("cmsb", (COLUMN_BITS - vb - 1).to_string()),
            ("up", (vl - 1).to_string()),
            ("lanes", lanes.join(", ")),
            ("waddr", waddr.clone()),
            ("words", words),
            (
                "unused",
                match addr {
                    WORD_ADDR_BITS => ", cols_up[15]".into(),
                    _ => format!(", cols_up[15], x_addr_i[13:{addr}], xw_addr_i[13:{addr}]"),
                },
            ),
        ],
    );
    let mut map = vec![
        ("we_i", "xw_en_i"),
        ("waddr_i", &waddr),
        ("wdata_i", "xw_data_i"),
        ("re_i", "read"),
        ("raddr_i", "addr_q"),
        ("mask_o", "mask"),
    ];
    if config.sessions > 1 {
        map.push(("active_i", "active_i"));
    }
    m.instance("u_map", &column_map(config), &map);
    m.instance(
        "u_runs",
        &fifo(COLUMN_BITS + RUN_BITS + 1, 4),
        &[
            ("in_valid_i", "run_end"),
            ("in_ready_o", "run_room"),
            ("in_data_i", "{finish, run_q, first_q}"),
            ("out_valid_o", "run_valid_o"),
            ("out_ready_i", "run_ready_i"),
            ("out_data_o", "{run_last_o, run_len_o, run_first_o}"),
        ],
    );
    m.instance(
        "u_columns",
        &fifo(COLUMN_BITS + 1, COLUMNS_AHEAD),
        &[
            ("in_valid_i", "push"),
            ("in_ready_o", "col_room"),
            ("in_data_i", "{finish, kept_q}"),
            ("out_valid_o", "col_valid_o"),
            ("out_ready_i", "col_ready_i"),
            ("out_data_o", "{col_last_o, col_o}"),
        ],
    );
    m.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the contract says of blocking rests on it.
    #[test]
    fn a_run_fits_the_queue_of_columns() {
        const { assert!(COLUMNS_AHEAD > 2 * RUN_COLUMNS && RUN_COLUMNS < 1 << RUN_BITS) }
        for name in ["nano", "wide", "edge"] {
            let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            let config = Config::load(std::path::Path::new(&path)).unwrap();
            let printed = crate::hdl::print(&columns(&config)).unwrap();
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                let dir = format!("{dir}/columns_{name}");
                std::fs::create_dir_all(&dir).unwrap();
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
        }
    }
}
