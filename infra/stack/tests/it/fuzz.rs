//! The short run of the fuzzer; `cargo stack fuzz` is the long one.

use stack::fuzz::{SEED, Size, fuzz};

use crate::stage::on_stage;

#[test]
fn fuzzed_requests_get_only_documented_answers() {
    on_stage(async |stage| {
        let tools = stage.contract().await?;
        Box::pin(fuzz(&stage.play, &stage.town, &stage.place, tools, Size::SHORT, SEED)).await
    });
}
