
  // One session: every word is its own.
  assign slot  = 1'b0;
  assign kept  = 1'b1;
  assign close = flush_q;
