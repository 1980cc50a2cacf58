create_clock -name clk -period 10 [get_ports clk]
set_load 0.05 [all_outputs]
