// A clock buffer, a register and a gate; TAP is in no library and has no signal.
module tiny (clk, d, y);
  input clk, d;
  output y;
  wire ck;
  wire \q[0] ;
  CKBUF cb (.A(clk), .Y(ck));
  DFF \r[0] (.CK(ck), .D(d), .Q(\q[0] ));
  AND2 g (.A(\q[0] ), .B(d), .Y(y));
  TAP t ();
endmodule
