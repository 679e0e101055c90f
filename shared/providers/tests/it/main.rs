//! Every payload and every signature vector of the providers, and the clients against a loopback server.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

mod aircall;
mod checks;
mod clients;
mod exotel;
mod fixtures;
mod guarded;
mod media;
mod plivo;
mod robustness;
mod senders;
mod sending;
mod server;
mod shopify;
mod signatures;
mod telephony;
mod twilio_content;
mod twilio_messages;
mod twilio_recording;
mod twilio_send;
mod twilio_voice;
mod vonage;
mod webhooks;
mod whatsapp_pieces;
mod whatsapp_send;
mod whatsapp_templates;
mod whatsapp_webhooks;
mod woocommerce;
