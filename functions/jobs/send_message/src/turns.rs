//! Places in the throughput of numbers, as this process holds them.

use std::collections::HashMap;

use domain::Timestamp;
use domain::messages::{Leg, Message};
use domain::tenants::{Connection, Held, Throughput, Turn};
use domain::terms::{ConnectionId, Lane};
use store::StoreError;
use tokio::sync::Mutex;

use crate::Work;

/// Places that the process holds, by number and lane. The lock is held while a block is taken: a batch's messages share
/// it.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<(ConnectionId, Lane), Held>>);

impl Work<'_> {
    /// Uses a place for a message, if it needs one. If there is none, returns the throughput and the time of its next
    /// place.
    pub(crate) async fn waits_its_turn(
        &self,
        message: &Message,
        leg: &Leg,
        connection: &Connection,
    ) -> Result<Option<(Throughput, Timestamp)>, StoreError> {
        let (lane, clock) = (message.policy.lane(), &self.ctx.clock);
        let Some(throughput) = connection
            .throughput(leg.channel, clock.now())
            .filter(|known| known.is_leased(lane))
        else {
            return Ok(None);
        };
        let mut turns = self.ctx.turns.0.lock().await;
        turns.retain(|_, held| !held.is_over(clock.now()));
        let held = turns.entry((connection.id, lane)).or_default();
        loop {
            // After the lock and each lease, which may have taken seconds.
            let now = clock.now();
            match held.turn(&throughput, now) {
                Turn::Go => return Ok(None),
                Turn::Wait(until) => return Ok(Some((throughput, until))),
                Turn::Take => {}
            }
            let taken = self
                .ctx
                .store
                .take_places(self.scope, connection.id, &throughput, lane, now);
            match Box::pin(taken).await? {
                Ok(block) => held.took(block),
                Err(until) => held.found_none(until),
            }
        }
    }
}
