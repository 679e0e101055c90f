//! Outgoing webhooks: the endpoints of a tenant, and the row by which publishers of events find those that want them.

mod endpoints;
