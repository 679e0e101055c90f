//! Slots that a run of an operation takes before it works, and gives back ([`domain::terms::TenantSlots`]).

use domain::terms::{DeploymentSlots, Operation, OperationKind, SlotWish, TakenSlot, Waiting};
use jiff::Timestamp;
use store::{Store, StoreError, TenantScope};
use ulid::Ulid;

use crate::{Clock, ConfigError, Env, Ids, metric};

/// State for taking slots, created once per process.
#[derive(Clone)]
pub(crate) struct OperationSlots {
    store: Store,
    clock: Clock,
    ids: Ids,
    deployment: DeploymentSlots,
}

/// The slots of a run.
pub(crate) struct HeldSlots {
    number: u32,
    taken: TakenSlot,
    holder: Ulid,
    /// The wish that got a slot of the tenant. `None`: its kind needs none.
    of_tenant: Option<SlotWish>,
    /// Whether many slots of the deployment were taken.
    is_busy: bool,
}

/// Consequences of giving slots back.
pub(crate) struct GivenBack {
    /// The operation of the tenant that may have the slot now.
    pub(crate) next: Option<Waiting>,
    /// Whether others probably wait for a slot of the deployment.
    pub(crate) is_busy: bool,
}

impl OperationSlots {
    /// From `TABLE_NAME` and `OPERATION_SLOTS`.
    pub(crate) fn new(env: &Env) -> Result<Self, ConfigError> {
        const NAME: &str = "OPERATION_SLOTS";
        let number = env.config().text(NAME)?.parse().ok().and_then(DeploymentSlots::new);
        let least = DeploymentSlots::FEWEST;
        let wrong = || ConfigError::new(NAME, format!("must be a whole number of at least {least}"));
        Ok(Self {
            store: env.store()?,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
            deployment: number.ok_or_else(wrong)?,
        })
    }

    /// Takes the slots that a run of this operation needs until its deadline: first the tenant's, which a tenant with many operations finds
    /// taken by one read. `None`: there is none for it.
    pub(crate) async fn take(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        holder: Ulid,
        until: Timestamp,
    ) -> Result<Option<HeldSlots>, StoreError> {
        let (id, kind, now) = (operation.id, operation.kind, self.clock.now());
        let wish = SlotWish {
            operation: id,
            kind,
            holder,
            until,
            since: operation.waits_since,
        };
        let of_tenant = (!kind.is_of_campaigns()).then_some(wish);
        if let Some(wish) = &of_tenant
            && !self.store.take_slot_of_tenant(scope, wish, now).await?
        {
            metric::count("operation_waited", &[("for", "tenant")]);
            return Ok(None);
        }
        let taken = TakenSlot {
            tenant: scope.tenant(),
            operation: id,
            until,
        };
        let found = self.take_of_deployment(kind, &taken, holder, now).await;
        if let Ok(Some((number, is_busy))) = found {
            return Ok(Some(HeldSlots {
                number,
                taken,
                holder,
                of_tenant,
                is_busy,
            }));
        }
        // Nobody is started in its place, who would find no slot, either.
        if let Some(wish) = &of_tenant {
            self.store.give_slot_of_tenant_back(scope, wish, false, now).await?;
        }
        metric::count("operation_waited", &[("for", "deployment")]);
        found.map(|_| None)
    }

    /// The number of a slot of the deployment that was free, and whether many were taken.
    async fn take_of_deployment(
        &self,
        kind: OperationKind,
        slot: &TakenSlot,
        holder: Ulid,
        now: Timestamp,
    ) -> Result<Option<(u32, bool)>, StoreError> {
        for (found_taken, number) in (0..).zip(self.deployment.tries(kind, self.ids.fraction())) {
            if self.store.take_slot(number, holder, slot, now).await? {
                return Ok(Some((number, DeploymentSlots::is_busy(found_taken))));
            }
        }
        Ok(None)
    }

    /// Gives slots back. If that fails, they end with the deadline of the run. `goes_on`: the run ends before its operation.
    pub(crate) async fn give_back(&self, scope: &TenantScope, slots: HeldSlots, goes_on: bool) -> GivenBack {
        let now = self.clock.now();
        let given = self.store.give_slot_back(slots.number, slots.holder, &slots.taken, now);
        let mut failed = given.await.err();
        let mut next = None;
        if let Some(wish) = &slots.of_tenant {
            match self.store.give_slot_of_tenant_back(scope, wish, goes_on, now).await {
                Ok(waiting) => next = waiting,
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            tracing::warn!(error = crate::chain(&error), "a slot of an operation is not given back");
        }
        GivenBack {
            next,
            is_busy: slots.of_tenant.is_some() && slots.is_busy,
        }
    }
}
