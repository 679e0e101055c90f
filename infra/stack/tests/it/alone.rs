//! The short run of `cargo stack chaos` as a test, which needs the stack alone for minutes. Its module is the first by name, so that it runs
//! while the tests without a stack need the processors most.

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
