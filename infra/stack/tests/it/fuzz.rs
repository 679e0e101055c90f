//! The fuzzer, in short; `cargo stack fuzz` is the long form.

use anyhow::ensure;
use stack::{
    contract::Contract,
    fuzz::{SEED, Size, covers, fuzz},
};

use crate::stage::on_stage;

#[test]
fn whatever_is_sent_every_answer_is_one_that_the_contract_names() {
    on_stage(async |stage| {
        ensure!(
            covers(&Contract::read(&stage.place)?),
            "an operation is in no part, or in two"
        );
        let tools = stage.contract().await?;
        Box::pin(fuzz(&stage.play, &stage.town, &stage.place, tools, Size::SHORT, SEED)).await
    });
}
