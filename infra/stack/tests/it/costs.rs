//! Limits of operations' requests to AWS.

use anyhow::ensure;
use domain::permission::Permission;
use stack::{bench::operations::measure, build, contract::Contract};

use crate::stage::on_stage;

/// A warm GET reads the caller and the content.
const MOST_READS: u64 = 2;

#[test]
fn a_warm_get_reads_the_table_twice_at_most() {
    on_stage(async |stage| {
        let groups: Vec<_> = build::functions(&stage.place.root)?
            .iter()
            .map(|function| function.log_group(&stage.play.endpoints.stack))
            .collect();
        let contract = Contract::read(&stage.place)?;
        let measuring = measure(&stage.play, &stage.town, &stage.aws, &groups, &contract);
        let costs = Box::pin(measuring).await?;
        let looks = contract.operations().filter(|operation| operation.method == "get");
        for operation in looks.filter(|operation| operation.permission().parse::<Permission>().is_ok()) {
            let id = operation.id();
            ensure!(costs.iter().any(|cost| cost.id == id), "{id} was not measured");
        }
        for cost in costs.iter().filter(|cost| cost.method == "get") {
            let (id, reads) = (&cost.id, cost.table_reads());
            ensure!(
                reads <= MOST_READS,
                "{id} reads the table {reads} times, {MOST_READS} at most: {:?}",
                cost.aws
            );
        }
        for cost in &costs {
            eprintln!("{} {} reads {:?}", cost.id, cost.table_reads(), cost.aws);
        }
        Ok(())
    });
}
