//! The short form of `cargo stack chaos`.

use anyhow::{Result, ensure};
use stack::chaos::{self, Ground, Size};

use crate::stage::{Stage, alone_on_stage};

#[test]
fn nothing_is_lost_or_sent_twice_whatever_breaks() {
    alone_on_stage(async |stage: &Stage| -> Result<()> {
        let ground = Ground {
            play: &stage.play,
            town: &stage.town,
            aws: &stage.aws,
            place: &stage.place,
            data: &stage.place.data,
        };
        let verdict = chaos::play_out(&ground, Size::SHORT, chaos::new_seed()?).await?;
        println!("{}", verdict.show());
        ensure!(verdict.held(), "{}", verdict.show());
        Ok(())
    });
}
