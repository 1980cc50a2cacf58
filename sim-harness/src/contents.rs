//! What lies in the simulated memory: the image, which is only read, and regions that are written.

/// The bytes by address.
pub(crate) struct Contents<'a> {
    image: &'a [u8],
    base: u64,
    regions: Vec<(u64, Vec<u8>)>,
}

/// Whether `bytes` from `addr` lie in `len` bytes from `base`.
fn within(addr: u64, bytes: u64, base: u64, len: usize) -> bool {
    addr.checked_sub(base).is_some_and(|at| at + bytes <= len as u64)
}

impl<'a> Contents<'a> {
    pub fn new(image: &'a [u8], base: u64) -> Self {
        Contents { image, base, regions: vec![] }
    }

    pub fn add(&mut self, base: u64, bytes: usize) {
        self.regions.push((base, vec![0; bytes]));
    }

    pub fn region(&self, base: u64) -> Option<&[u8]> {
        self.regions.iter().find(|r| r.0 == base).map(|r| r.1.as_slice())
    }

    pub fn region_mut(&mut self, base: u64) -> Option<&mut Vec<u8>> {
        self.regions.iter_mut().find(|r| r.0 == base).map(|r| &mut r.1)
    }

    /// First and last address of the image, the last excluded.
    pub fn image_range(&self) -> (u64, u64) {
        (self.base, self.base + self.image.len() as u64)
    }

    /// Whether all of a burst can be read.
    pub fn holds(&self, addr: u64, bytes: u64) -> bool {
        within(addr, bytes, self.base, self.image.len()) || self.writable(addr, bytes)
    }

    /// Whether all of a burst can be written.
    pub fn writable(&self, addr: u64, bytes: u64) -> bool {
        self.regions.iter().any(|(base, r)| within(addr, bytes, *base, r.len()))
    }

    /// `n` bytes of a burst that was found to be here.
    #[inline]
    pub fn read(&self, addr: u64, n: usize) -> &[u8] {
        if within(addr, n as u64, self.base, self.image.len()) {
            return &self.image[(addr - self.base) as usize..][..n];
        }
        let region = self.regions.iter().find(|(base, r)| within(addr, n as u64, *base, r.len()));
        region.map_or(&[], |(base, r)| &r[(addr - base) as usize..][..n])
    }

    /// Writes to a burst that was found to be here.
    pub fn write(&mut self, addr: u64, data: &[u8]) {
        let n = data.len();
        if let Some((base, r)) = self.regions.iter_mut().find(|(base, r)| within(addr, n as u64, *base, r.len())) {
            r[(addr - *base) as usize..][..n].copy_from_slice(data);
        }
    }
}
