//! Tests that need the stack alone for minutes, and here the short run of `cargo stack chaos`. Their module is the first by name: they run
//! while the tests without a stack need the processors most, and never wait for a long test while all others wait for them.

pub(crate) mod lanes;
mod mutated;

use anyhow::{Result, ensure};
use stack::chaos::{self, Ground, Size};

use crate::stage::{Stage, alone_on_stage};

#[test]
fn storm_loses_nothing_and_sends_nothing_twice() {
    alone_on_stage(async |stage: &Stage| -> Result<()> {
        let ground = Ground {
            play: &stage.play,
            town: &stage.town,
            aws: &stage.aws,
            place: &stage.place,
        };
        let verdict = Box::pin(chaos::play_out(&ground, Size::SHORT, chaos::new_seed()?)).await?;
        println!("{}", verdict.show());
        ensure!(verdict.has_held(), "{}", verdict.show());
        Ok(())
    });
}
