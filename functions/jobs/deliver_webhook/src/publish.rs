//! New events: tried at once, unless the endpoint takes none now.

use std::collections::HashSet;

use domain::live::Event;
use domain::terms::EventId;
use domain::webhooks::{Delivery, EndpointHealth, EndpointTrouble};
use kit::{Done, JobError, crash, line};

use crate::attempts::Round;
use crate::endpoint::{Endpoint, looked_at_from, number, waiting};

impl Endpoint<'_> {
    /// Delivers events, or stores them for later. Those that this job, or another one, has written already are tried by their own jobs.
    ///
    /// # Errors
    /// When the table, the queue or the key service does not answer.
    pub(crate) async fn publish(
        &self,
        events: Vec<Event>,
        health: &EndpointHealth,
        correlation_id: &str,
    ) -> Result<Done, JobError> {
        let mut seen = HashSet::new();
        // It may have changed since they were published.
        let wanted = events.into_iter().filter(|event| self.row.events.contains(&event.kind));
        let events: Vec<Event> = wanted.filter(|event| seen.insert(event.id)).collect();
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        if ids.is_empty() {
            return Ok(Done::Already);
        }
        let (store, now) = (&self.ctx.store, self.now());
        let known = store.read_deliveries(self.scope, self.row.id, &ids, now).await?;
        // What an earlier delivery of this job wrote is counted, unless it was interrupted then.
        let uncounted = if waiting(&known).next().is_some() {
            let all = store.count_waiting(self.scope, self.row.id).await?;
            all.saturating_sub(health.waiting)
        } else {
            0
        };
        let ids: HashSet<EventId> = known.iter().map(|delivery| delivery.event.id).collect();
        let new = events.into_iter().filter(|event| !ids.contains(&event.id));
        let new: Vec<Delivery> = new.map(Delivery::new).collect();
        let is_again = new.is_empty();
        let mut round = if health.may_send(now) {
            self.try_all(new, health).await?
        } else {
            Round {
                untried: new,
                ..Round::default()
            }
        };
        // What an earlier delivery of this job wrote has to be due, too, if it was interrupted then.
        let left = waiting(&round.tried).count() + waiting(&known).count();
        let room = usize::try_from(health.room())
            .unwrap_or(usize::MAX)
            .saturating_sub(left);
        let mut stored = std::mem::take(&mut round.untried);
        let surplus = stored.split_off(room.min(stored.len()));
        let dropped: Vec<Delivery> = surplus
            .into_iter()
            .map(|known| Delivery::drop_event(known.event))
            .collect();
        line::count("stored", u64::from(number(stored.len())));
        line::count("dropped", u64::from(number(dropped.len())));
        let drops = !dropped.is_empty();
        crash::point("deliver_webhook.attempted");
        let deliveries = [round.tried.clone(), stored, dropped].concat();
        store.write_deliveries(self.scope, self.row.id, &deliveries).await?;
        crash::point("deliver_webhook.written");
        let more = uncounted.saturating_add(number(waiting(&deliveries).count()));
        let wait = waiting(&deliveries).chain(waiting(&known));
        let first = wait.map(looked_at_from).min();
        let after = self
            .change_health(health, |health| {
                let after = self.after_attempts(health, &round.outcomes);
                let after = match first {
                    Some(first) => after.with_more_waiting(more, first),
                    None => after,
                };
                if drops { after.with_dropped(now) } else { after }
            })
            .await?;
        if let Some(since) = after.full_since.filter(|_| drops) {
            self.tell(EndpointTrouble::Full, since, since).await?;
        }
        round.tried.extend(known);
        self.go_on(&round, &after, correlation_id).await?;
        Ok(if is_again { Done::Already } else { Done::Now })
    }
}
