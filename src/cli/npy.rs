//! NumPy's file format, version 1.0: a magic string, a header in Python's words, then the numbers (numpy.lib.format in NumPy's reference).

/// Returns a `.npy` file of `rows` as a matrix of 32-bit floats, row-major. All rows are as long as the first.
pub fn matrix(rows: &[Vec<f64>]) -> Vec<u8> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut bytes = header("<f4", &format!("({}, {columns})", rows.len()));
    bytes.extend(rows.iter().flatten().flat_map(|v| (*v as f32).to_le_bytes()));
    bytes
}

/// Returns what stands before the numbers in a `.npy` file of `n` bytes.
pub fn bytes_header(n: usize) -> Vec<u8> {
    header("|u1", &format!("({n},)"))
}

/// Returns a `.npy` file of unsigned 32-bit integers.
pub fn words(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
    [header("<u4", &format!("({},)", bytes.len() / 4)), bytes].concat()
}

/// The header of numbers of the type that NumPy calls `descr`, in an array of `shape`.
fn header(descr: &str, shape: &str) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // magic (6), version (2), length (2), the header and a line end: together a multiple of 64
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = length - 1).as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_header_says_what_follows_and_the_numbers_begin_at_a_multiple_of_64() {
        let bytes = super::matrix(&[vec![1.0, -2.5, 0.1], vec![4.0, 5.0, 6.0]]);
        assert_eq!(bytes.len(), 128 + 6 * 4);
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(bytes[10..128].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } "));
        assert_eq!(bytes[127], b'\n');
        let numbers: Vec<f32> =
            bytes[128..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(numbers, [1.0, -2.5, 0.1, 4.0, 5.0, 6.0]);
    }
}
