//! The functions' roles as deployed. What no test uses of them is found at the end of a whole run (`stack::iam`).

mod lambda;
mod partitions;

use anyhow::{Context as _, Result, ensure};
use stack::{
    build,
    iam::{self, Role},
};

use crate::stage::{Stage, on_stage};

async fn roles(stage: &Stage) -> Result<Vec<Role>> {
    let functions = build::functions(&stage.place.root)?;
    iam::roles(&stage.aws.session()?, &stage.play.endpoints.stack, &functions).await
}

#[test]
fn logs_and_triggers_are_what_lambda_needs() {
    on_stage(async |stage| {
        let bucket = stage.town.outputs.get("RawBucketName").context("an output")?;
        let stack = &stage.play.endpoints.stack;
        let roles = roles(stage).await?;
        let wrong = lambda::triggers_and_logs(&roles, &stage.aws.session()?, stack, bucket).await?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn partitions_of_others_are_refused_to_each_role() {
    on_stage(async |stage| {
        let endpoints = &stage.play.endpoints;
        let roles = roles(stage).await?;
        let session = stage.aws.session()?;
        let wrong = partitions::otherwise_enforced(&roles, &session, &endpoints.aws_endpoint, &endpoints.table).await?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}
