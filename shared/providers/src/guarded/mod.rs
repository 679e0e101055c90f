//! Requests to addresses that tenants name: endpoints of outgoing webhooks, shops, models. Whoever names an address could name one inside our own
//! network, so each request passes a guard.
//!
//! The rules for a URL ([`Guard::check_url`]) allow `https` to port 443 of a host with a public name. The name is resolved once per connection, all of
//! its addresses must be public ([`reach_of`]), and the connection is made to one of them: a name that changes its addresses in between gains nothing. No redirect is
//! followed, no proxy is used, and only the beginning of an answer is read. An operator can admit hosts that break the rules, such as a server in a
//! private network.

mod addresses;
mod client;
mod rules;

pub use addresses::{Reach, reach_of};
pub use client::{GuardedAnswer, GuardedClient, MAX_ANSWER, SystemNames, Unreached};
pub use reqwest::dns::Resolve;
pub use rules::{BadHosts, Guard, Refused};
