//! The functions' roles as deployed. What no test uses of them is found at the end of a whole run (`stack::iam`).

mod partitions;

use anyhow::{Result, ensure};
use stack::build;
use stack::iam::{self, Role};

use crate::stage::{Stage, on_stage};

async fn roles(stage: &Stage) -> Result<Vec<Role>> {
    let functions = build::functions(&stage.place.root)?;
    iam::roles(&stage.aws.session()?, &stage.play.endpoints.stack, &functions).await
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
