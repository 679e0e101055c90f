//! Batches of steps, each of one tenant.

use std::collections::HashMap;

use domain::terms::TenantId;
use jobs::TakeSteps;
use store::campaigns::DueStep;

/// Steps of a tenant for one job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch<T = DueStep> {
    pub(crate) steps: Vec<T>,
    /// Place of the first one among those of the tenant in this run, and their number.
    pub(crate) first: usize,
    pub(crate) of: usize,
}

/// Batches of these steps, in which the tenants take turns: the first batch of each, then the second of each.
pub(crate) fn make_batches(due: Vec<DueStep>) -> Vec<Batch> {
    batch_by_tenant(due, DueStep::tenant)
}

fn batch_by_tenant<T>(due: Vec<T>, tenant: impl Fn(&T) -> TenantId) -> Vec<Batch<T>> {
    let mut tenants: Vec<Vec<T>> = Vec::new();
    let mut places: HashMap<TenantId, usize> = HashMap::new();
    for step in due {
        let place = *places.entry(tenant(&step)).or_insert(tenants.len());
        match tenants.get_mut(place) {
            Some(steps) => steps.push(step),
            None => tenants.push(vec![step]),
        }
    }
    let mut numbered = Vec::new();
    for steps in tenants {
        let of = steps.len();
        let mut steps = steps.into_iter().peekable();
        for number in 0.. {
            if steps.peek().is_none() {
                break;
            }
            let steps = steps.by_ref().take(TakeSteps::MAX).collect();
            let first = number * TakeSteps::MAX;
            numbered.push(Batch { steps, first, of });
        }
    }
    numbered.sort_by_key(|batch| batch.first);
    numbered
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    /// The tenant of each batch, its first place, its number of steps, and that of all steps of the tenant.
    fn list_shapes(due: Vec<u8>) -> Vec<[usize; 4]> {
        let tenant = |step: &u8| TenantId::new(Ulid::from(u128::from(*step)));
        let shape = |batch: Batch<u8>| [batch.steps[0].into(), batch.first, batch.steps.len(), batch.of];
        batch_by_tenant(due, tenant).into_iter().map(shape).collect()
    }

    #[test]
    fn each_tenant_has_its_batch_before_another_has_two() {
        let due = [vec![1; 60], vec![2; 20], vec![3; 26]].concat();
        let expected = [
            [1, 0, 25, 60],
            [2, 0, 20, 20],
            [3, 0, 25, 26],
            [1, 25, 25, 60],
            [3, 25, 1, 26],
            [1, 50, 10, 60],
        ];
        assert_eq!(list_shapes(due), expected);
        assert_eq!(list_shapes(Vec::new()), Vec::<[usize; 4]>::new());
    }

    /// Ten thousand of one tenant, and twenty of another that are due later.
    #[test]
    fn few_are_in_the_second_batch() {
        let shapes = list_shapes([vec![1; 10_000], vec![2; 20]].concat());
        assert_eq!((shapes.len(), shapes[1]), (401, [2, 0, 20, 20]));
    }
}
