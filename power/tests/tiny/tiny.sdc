set period 10
create_clock -name clk -period $period [get_ports clk]
set_input_transition 0.2 [get_ports d]
set_load 0.05 [all_outputs]
set_output_delay [expr $period * 0.5] -clock clk [all_outputs]
