//! Numbers that look random, the same in every run.

/// Numbers that follow from a seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        // Seeds that are close to each other begin far apart.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below this one.
    pub const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A place below this one.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll(bound as u64)).expect("below the bound")
    }

    pub const fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
