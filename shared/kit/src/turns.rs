//! Order of the waiting work of several tenants.

use std::collections::HashMap;

use domain::terms::TenantId;

/// Puts rows, given oldest first, into the order of leaving: tenants take turns, and the rows of each keep their order. So no tenant's
/// backlog delays another by more than its turn.
pub fn in_turn<T>(rows: Vec<T>, tenant: impl Fn(&T) -> TenantId) -> Vec<T> {
    let mut turns: HashMap<TenantId, usize> = HashMap::new();
    let numbered = rows.into_iter().map(|row| {
        let turn = turns.entry(tenant(&row)).or_default();
        *turn += 1;
        (*turn, row)
    });
    let mut numbered: Vec<(usize, T)> = numbered.collect();
    // In each turn, whoever has waited longest goes first.
    numbered.sort_by_key(|(turn, _)| *turn);
    numbered.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;

    /// A tenant, and the place of a row among all that are due.
    type Row = (u8, usize);

    fn tenant(row: &Row) -> TenantId {
        TenantId::new(Ulid::from(u128::from(row.0)))
    }

    /// The rows that each run takes, of those that one shard has: at most so many.
    fn runs(mut waiting: Vec<Row>, most: usize) -> Vec<Vec<Row>> {
        let mut runs = Vec::new();
        while !waiting.is_empty() {
            let taken: Vec<Row> = in_turn(waiting.clone(), tenant).into_iter().take(most).collect();
            waiting.retain(|row| !taken.contains(row));
            runs.push(taken);
        }
        runs
    }

    fn by_tenant(rows: &[Row]) -> BTreeMap<u8, Vec<usize>> {
        let mut all: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (tenant, place) in rows {
            all.entry(*tenant).or_default().push(*place);
        }
        all
    }

    /// 5,000 rows of one tenant, and 20 of another that are due later, in the shards that they share.
    #[test]
    fn few_rows_do_not_wait_behind_many_of_another_tenant() {
        const SHARDS: usize = 16;
        let all: Vec<Row> = (0..5_000)
            .map(|place| (1, place))
            .chain((5_000..5_020).map(|place| (2, place)))
            .collect();
        for shard in 0..SHARDS {
            let shard: Vec<Row> = all
                .iter()
                .filter(|(_, place)| place % SHARDS == shard)
                .copied()
                .collect();
            let runs = runs(shard, 100);
            assert_eq!(runs.len(), 4, "5,000 rows take four runs");
            let first = by_tenant(&runs[0]);
            assert!(
                (1..=2).contains(&first[&2].len()),
                "all of the few leave at once: {first:?}"
            );
            assert_eq!(first[&1].len() + first[&2].len(), 100, "and the rest is the other's");
            assert!(runs[1..].iter().flatten().all(|(tenant, _)| *tenant == 1));
        }
    }

    proptest! {
        /// In each run, nobody who still has rows waiting gets two fewer than another; each tenant's rows keep their order; nothing is lost.
        #[test]
        fn tenants_share_each_run(tenants in prop::collection::vec(0..6_u8, 0..400), most in 1..60_usize) {
            let all: Vec<Row> = tenants.into_iter().enumerate().map(|(place, tenant)| (tenant, place)).collect();
            let runs = runs(all.clone(), most);
            let mut left = by_tenant(&all);
            for run in &runs {
                let taken = by_tenant(run);
                let largest = taken.values().map(Vec::len).max().unwrap_or_default();
                for (tenant, waiting) in &mut left {
                    let taken = taken.get(tenant).map_or(&[][..], Vec::as_slice);
                    prop_assert_eq!(&waiting[..taken.len()], taken, "the oldest first");
                    waiting.drain(..taken.len());
                    prop_assert!(waiting.is_empty() || taken.len() + 1 >= largest, "{} of {}", taken.len(), largest);
                }
            }
            prop_assert!(left.values().all(Vec::is_empty));
            prop_assert!(runs.iter().rev().skip(1).all(|run| run.len() == most), "no run is shorter than it may be");
        }
    }
}
