//! Making the messages of steps, as many as the caps and the places of customers have room for: those who have waited longest first.
//!
//! What is made is counted for the caps before it is written, and its message says so, so that sending it counts it again only in a later hour,
//! day or month. All runs together make no more than fits, and one that dies wastes what it counted until the period ends. Whoever is kept back
//! stays at the step, and so does a message that could not leave within the period.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::campaigns::{Scene, WrittenSteps, ends_drip, is_after_cap, step_kept_back_until, step_made_at};
use domain::messages::Cause;
use domain::money::{Counts, Take};
use domain::reports::all_caps_of;
use domain::terms::{CampaignId, CampaignState, FREQUENCY_SPAN, Fact, Reason, Refusal};
use flows::campaigns::{Broadcast, Composition, FirstPlaces, Maker, move_campaign, notice_pause, record_limit};
use flows::money::{give_back_to_caps, tell_of_caps};
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use kit::{JobError, crash};
use store::LostRace as _;
use store::contacts::ContactWrite;
use store::money::Countable;
use store::table::effects::{Effects, Once};

use crate::tenant::{AT_ONCE, Became, LIMIT_LOOK, Place, Ready, Rows, Tenant};

/// Time over which those are spread who wait for a place of a customer whom the tenant messages first.
const SPREAD: SignedDuration = SignedDuration::from_hours(12);

/// Attempts to count messages for the caps. Each but the last finds that others were counted since the counts were
/// read.
const MAX_TRIES: u32 = 3;

/// Messages that wait for a cap, as far as they are left room. More are not made before.
const HELD: i32 = 100;

/// Somebody whose message can be made.
struct Sayable {
    ready: Ready,
    message: Composition,
    /// Place among those of the run, in the order of waiting.
    place: usize,
}

/// Somebody whose message is not made.
struct Unsaid {
    ready: Ready,
    why: Why,
}

/// Reasons for saying nothing now.
enum Why {
    /// This person gets none.
    Person(Refusal),
    /// The tenant may write to no further customers first, until this time.
    Limit(Timestamp),
    /// It is made at this time, if it can be.
    Later(Timestamp),
}

/// Time of the next attempt for a message held back by this limit.
fn retry_time(why: &Refusal, now: Timestamp) -> Timestamp {
    let time = |name| match why.facts.get(name) {
        Some(Fact::Text(at)) => at.parse::<Timestamp>().ok(),
        _ => None,
    };
    // Another message was sent, or is going to be.
    let other = time("last_at").max(time("next_at"));
    let over = other.map(|at| at + FREQUENCY_SPAN).filter(|over| now < *over);
    over.unwrap_or(now + LIMIT_LOOK)
}

impl Rows {
    /// The steps that somebody goes through.
    fn steps_of(&self, ready: &Ready) -> Option<&WrittenSteps> {
        let enrolment = &ready.enrolment.value;
        let version = enrolment.passage.as_ref()?.version;
        self.steps.get(&(enrolment.campaign, version))
    }
}

impl Tenant<'_> {
    /// Makes the messages of these steps.
    pub(crate) async fn say(&mut self, rows: &Rows, ready: BTreeMap<Place, Vec<Ready>>) -> Result<(), JobError> {
        let (mut sayable, mut unsaid) = (Vec::new(), Vec::new());
        for (place, all) in ready {
            Box::pin(self.compose(rows, place, all, &mut sayable, &mut unsaid)).await?;
        }
        let Tenant { ctx, now, .. } = *self;
        sayable.sort_by_key(|one| (!is_after_cap(one.ready.due), one.ready.due));
        for (place, one) in sayable.iter_mut().enumerate() {
            one.place += place;
        }
        let places = FirstPlaces::for_at_most(sayable.len());
        let said = Box::pin(self.that_fit(rows, sayable, &places, &mut unsaid)).await?;
        let limited = unsaid.iter().filter_map(|one| match &one.why {
            Why::Limit(until) => Some((one.ready.enrolment.value.campaign, *until)),
            Why::Person(_) | Why::Later(_) => None,
        });
        let limited: BTreeMap<CampaignId, Timestamp> = limited.collect();
        let takes: Vec<Vec<Take>> = said.iter().map(|one| one.message.takes.clone()).collect();
        let saying = said.into_iter().map(|one| Box::pin(self.say_to(rows, one)));
        let said: Vec<_> = stream::iter(saying).buffered(AT_ONCE).collect().await;
        // After a lost race, nothing was written. After any other error, something may have been, which stays counted.
        let lost = said.iter().zip(&takes);
        let lost = lost.filter(|(said, _)| said.as_ref().is_err_and(|error| error.is_lost_race()));
        let back = Take::given_back(&Take::together(lost.flat_map(|(_, takes)| takes)));
        give_back_to_caps(&ctx.store, &self.scope, &back, now, ctx.clock.now()).await;
        let unsaid = unsaid.into_iter().map(|one| Box::pin(self.say_nothing(rows, one)));
        let unsaid: Vec<_> = stream::iter(unsaid).buffer_unordered(AT_ONCE).collect().await;
        places.return_rest(&ctx.store, &self.scope, now).await;
        self.settle(said.into_iter().chain(unsaid)).await?;
        for (campaign, until) in limited {
            record_limit(&ctx.store, &self.scope, &rows.campaigns[&campaign], until).await?;
        }
        Ok(())
    }

    /// Composes the messages of one step.
    async fn compose(
        &self,
        rows: &Rows,
        place: Place,
        all: Vec<Ready>,
        sayable: &mut Vec<Sayable>,
        unsaid: &mut Vec<Unsaid>,
    ) -> Result<(), JobError> {
        let Tenant {
            ctx, ref scope, now, ..
        } = *self;
        let Place {
            campaign,
            version,
            step,
        } = place;
        let (found, written) = (&rows.campaigns[&campaign], &rows.steps[&(campaign, version)]);
        let Some(message) = written.steps.message_at(step) else {
            return Ok(());
        };
        let campaign = found.value.saying(message);
        let people = all.iter().map(|one| &one.person);
        let broadcast = ctx
            .planner
            .broadcast(scope, &campaign, rows.config.clone(), people, now);
        let (broadcast, why) = broadcast.await?;
        if let Some(why) = why {
            if found.value.steps_version == Some(version) {
                // Due enrolments find it paused.
                let next = CampaignState::Paused;
                let paused = move_campaign(&ctx.store, scope, found, next, Some(why), now);
                if let Some(paused) = paused.await? {
                    notice_pause(&ctx.store, scope, &paused, now).await;
                }
                return Ok(());
            }
            // Nobody can mend an earlier version.
            let refuse = |ready| Unsaid {
                ready,
                why: Why::Person(why.clone()),
            };
            unsaid.extend(all.into_iter().map(refuse));
            return Ok(());
        }
        let each = all
            .into_iter()
            .map(|one| Box::pin(self.compose_message(&broadcast, one)));
        let mut each = stream::iter(each).buffer_unordered(AT_ONCE);
        while let Some(composed) = each.next().await {
            match composed? {
                Ok(one) => sayable.push(one),
                Err(one) => unsaid.push(one),
            }
        }
        Ok(())
    }

    async fn compose_message(
        &self,
        broadcast: &Broadcast<'_>,
        ready: Ready,
    ) -> Result<Result<Sayable, Unsaid>, JobError> {
        let Tenant {
            ctx, ref scope, now, ..
        } = *self;
        let cause = Cause::Campaign {
            campaign: ready.enrolment.value.campaign,
            contact: ready.person.contact.id,
            step: Some(ready.step),
        };
        let maker = Maker {
            planner: &ctx.planner,
            ids: &ctx.ids,
            prices: &ctx.prices,
        };
        Ok(
            match broadcast.compose(maker, scope, &ready.person, cause, now).await? {
                Ok(message) => Ok(Sayable {
                    ready,
                    message,
                    place: self.place.first,
                }),
                Err(why) => Err(Unsaid {
                    ready,
                    why: Why::Person(why),
                }),
            },
        )
    }

    /// Counts what the caps apply to, with what waits for them already: it was made before.
    async fn counts(&self, rows: &Rows) -> Result<Counts, JobError> {
        let Tenant {
            ctx, ref scope, now, ..
        } = *self;
        let mut counts = ctx.store.cap_counts(scope, now).await?;
        for message in ctx.store.waiting_for_caps(scope, HELD, now).await? {
            let Some(leg) = message.plan.first() else { continue };
            let of = Countable {
                policy: &message.policy,
                line: message.line,
                to: &message.to,
                leg,
            };
            let takes = ctx.store.takes(&rows.config, of, &ctx.prices, now).await?;
            counts.add(&message.still_to_take(&takes, now), now);
        }
        Ok(counts)
    }

    /// Counts the messages with room in the caps, in their order, and keeps the others back. One query of the counts,
    /// and one of the messages that wait for them; one write, however many messages there are.
    async fn that_fit(
        &self,
        rows: &Rows,
        all: Vec<Sayable>,
        places: &FirstPlaces,
        unsaid: &mut Vec<Unsaid>,
    ) -> Result<Vec<Sayable>, JobError> {
        let Tenant {
            ctx, ref scope, now, ..
        } = *self;
        let keep_back = |one: Sayable| {
            let until = step_kept_back_until(one.ready.due, one.place, self.place.of, now);
            Unsaid {
                ready: one.ready,
                why: Why::Later(until),
            }
        };
        let mut counts = self.counts(rows).await?;
        let mut fit = Vec::with_capacity(all.len());
        for one in all {
            let leaves_at = one.message.not_before();
            let ends = one.message.takes.iter().map(|take| take.cap.period.next(now)).min();
            if ends.is_some_and(|ends| ends <= leaves_at) {
                // It would be counted in vain: another hour or day has room of its own.
                let at = step_made_at(leaves_at, one.place, self.place.of, now);
                unsaid.push(Unsaid {
                    ready: one.ready,
                    why: Why::Later(at),
                });
            } else if one.message.takes.iter().any(|take| take.room().is_none()) {
                // Only a change of the cap makes room, and those who wait for their turn come first.
                unsaid.push(Unsaid {
                    ready: one.ready,
                    why: Why::Later(now + LIMIT_LOOK),
                });
            } else if counts.first_reached(&one.message.takes, now).is_some() {
                unsaid.push(keep_back(one));
            } else if let Some(connection) = one.message.writes_first
                && let Err(until) = places.take(&ctx.store, scope, connection, now).await?
            {
                unsaid.push(Unsaid {
                    ready: one.ready,
                    why: Why::Limit(until),
                });
            } else {
                counts.add(&one.message.takes, now);
                fit.push(one);
            }
        }
        let all_caps = all_caps_of(&rows.config.tenant);
        for _ in 0..MAX_TRIES {
            let takes = Take::together(fit.iter().flat_map(|one| &one.message.takes));
            let taken = ctx.store.take_from_caps(scope, &takes, &all_caps, now);
            if let Ok(near) = Box::pin(taken).await? {
                crash::point("take_steps.counted");
                tell_of_caps(&ctx.store, scope, &near, now).await;
                return Ok(fit);
            }
            counts = self.counts(rows).await?;
            let (mut still, was) = (Vec::with_capacity(fit.len()), fit);
            for one in was {
                if counts.first_reached(&one.message.takes, now).is_none() {
                    counts.add(&one.message.takes, now);
                    still.push(one);
                    continue;
                }
                if let Some(connection) = one.message.writes_first {
                    places.put_back(connection).await;
                }
                unsaid.push(keep_back(one));
            }
            fit = still;
        }
        // Others count all the time.
        unsaid.extend(fit.into_iter().map(keep_back));
        Ok(Vec::new())
    }

    /// Goes on in the enrolment of one contact, whose message is not made.
    async fn say_nothing(&self, rows: &Rows, unsaid: Unsaid) -> Result<Became, JobError> {
        let now = self.now;
        let Unsaid { ready: one, why } = unsaid;
        let written = rows.steps_of(&one);
        let mut value = one.enrolment.value;
        if let (Some(passage), Some(written)) = (&mut value.passage, written) {
            match why {
                Why::Later(until) => passage.postpone(until),
                Why::Person(why) if ends_drip(why.reason) => value = value.with_exit(why, now),
                Why::Person(why) if matches!(why.reason, Reason::Frequency | Reason::TooManyOpen) => {
                    passage.postpone(retry_time(&why, now));
                }
                Why::Person(why) => passage.skip(&written.steps, &why, now),
                // Few places are free at a time, and many may wait for them.
                Why::Limit(until) => passage.postpone(until + value.contact.part_of(SPREAD)),
            }
        }
        let (store, before) = (&self.ctx.store, one.enrolment.version);
        store.write_enrolment(&self.scope, before, &value).await?;
        Ok(Became::Written)
    }

    /// Makes the message of one contact.
    async fn say_to(&self, rows: &Rows, one: Sayable) -> Result<Became, JobError> {
        let Tenant {
            ctx, ref scope, now, ..
        } = *self;
        let written = rows.steps_of(&one.ready);
        let Ready {
            enrolment,
            mut person,
            zone,
            ..
        } = one.ready;
        let (before, mut enrolment) = (enrolment.version, enrolment.value);
        let takes = one.message.takes.clone();
        let mut planned = one.message.plan(&ctx.planner, scope, &mut person.contact, now).await?;
        planned.message.made_within(&takes);
        if let (Some(passage), Some(written)) = (&mut enrolment.passage, written) {
            let scene = Scene {
                steps: &written.steps,
                person: &person,
                last: None,
                zone: zone.rules(),
                now,
            };
            passage.record_message(scene, planned.message.id);
        }
        let effects = Effects {
            once: Once::Stepped {
                enrolment: &enrolment,
                before,
            },
            people: vec![ContactWrite::from(person.contact)],
            planned: vec![planned.message],
            ended: planned.ended,
            links: planned.links,
            ..Effects::default()
        };
        Ok(Became::Said(ctx.store.commit(scope, effects, now).await?))
    }
}
