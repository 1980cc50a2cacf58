//! Compiles a quantised model into the four programs and the memory image's stream.
