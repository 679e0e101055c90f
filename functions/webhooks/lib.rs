//! All functions of this folder: what serves them, for the program that runs them locally, and their tests as one program, which
//! `cargo stack test` runs once for each program of tests that a function has, with its tests only, so that what there is once per process,
//! such as counters, is of one function.

kit::functions! {
    aircall_webhook;
    exotel_webhook;
    plivo_webhook;
    shopify_webhook;
    telephony_webhook;
    twilio_message_webhook;
    twilio_voice_webhook;
    vonage_webhook;
    whatsapp_webhook;
    woocommerce_webhook;
}
