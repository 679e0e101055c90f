use std::collections::BTreeMap;

use api::{CostOut, ReportHeadOut, ReportPartOut};
use domain::money::{OutdatedPrices, Price};
use domain::people::ConversionKind;
use domain::reports::{Counter, FOLLOWED_UP, REPLY_TIMES, Replies, STOPPED, UNANSWERED, UNDONE, median_reply_time};
use domain::terms::Zone;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::reports::Counters;

/// Metrics of a period.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MetricsOut {
    /// Time zone, period and division.
    #[serde(flatten)]
    pub(crate) head: ReportHeadOut,
    /// Figures of the whole period.
    pub(crate) total: FiguresOut,
    /// Reply times of the whole period: how many customers replied within how many seconds, and not within the time before it.
    pub(crate) reply_times: Vec<ReplyTimeOut>,
    /// Figures by day, hour or line. Includes all days and hours of the period, and all lines with a count.
    pub(crate) items: Vec<MetricsPartOut>,
}

/// Metrics of a day, of an hour or of a line.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MetricsPartOut {
    /// Day, hour or line.
    #[serde(flatten)]
    pub(crate) part: ReportPartOut,
    /// Figures.
    pub(crate) figures: FiguresOut,
}

/// The home page's figures.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OverviewOut {
    /// The tenant's time zone.
    pub(crate) time_zone: Zone,
    /// Today's date in it.
    #[schemars(example = "2026-11-20")]
    pub(crate) date: Date,
    /// Figures of today.
    pub(crate) today: FiguresOut,
    /// Figures of yesterday.
    pub(crate) yesterday: FiguresOut,
    /// Figures of the same day of the week before, until this hour by the clock.
    pub(crate) week_ago: FiguresOut,
    /// Figures of the last 7 days, with today.
    pub(crate) last_7_days: FiguresOut,
    /// Figures of the last 30 days, with today.
    pub(crate) last_30_days: FiguresOut,
    /// Figures of each of the last 14 days, with today, the oldest first.
    pub(crate) days: Vec<OverviewDayOut>,
    /// Cost of today's messages. `null` without the permission `usage:read`.
    pub(crate) cost_today: Option<CostOut>,
    /// Price lists that nobody has compared with their source for three months, so that estimated costs may be wrong. Empty without the
    /// permission `usage:read`.
    pub(crate) outdated_prices: Vec<OutdatedPrices>,
}

/// Figures of a day.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OverviewDayOut {
    /// Day.
    #[schemars(example = "2026-11-20")]
    pub(crate) day: Date,
    /// Figures.
    pub(crate) figures: FiguresOut,
}

/// The figures of a period.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct FiguresOut {
    /// Calls.
    calls: CallFiguresOut,
    /// Messages that follow calls.
    follow_ups: FollowUpFiguresOut,
    /// Missed calls that were recovered: within 24 hours, the customer wrote, or a call with them was answered, theirs or a call back by
    /// the business. Each counts once, in the hour of its recovery. Reactions and stop words recover nothing. Calls from hidden numbers are
    /// never recovered, since nobody knows who calls.
    #[schemars(example = 11)]
    recovered: u64,
    /// Range that contains the median of reply times, from the sending of a follow-up to the customer's answer. `null` if nobody
    /// replied.
    median_reply: Option<ReplyRangeOut>,
    /// Messages of customers.
    received: ReceivedFiguresOut,
    /// Refusals that customers expressed within the day before they were recorded. Refusals set by the business, and older ones, are not
    /// counted.
    opt_outs: OptOutFiguresOut,
    /// Conversions.
    conversions: ConversionFiguresOut,
}

/// Calls.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct CallFiguresOut {
    /// All calls that were decided, in both directions.
    #[schemars(example = 64)]
    all: u64,
    /// Calls of customers that nobody answered: missed, busy, abandoned, with a voicemail or after hours. These can be recovered.
    /// `GET /api/v1/calls?unanswered=true` lists them.
    #[schemars(example = 23)]
    unanswered: u64,
    /// Calls that are followed up: a provider accepted the message. `GET /api/v1/calls?followed_up=true` lists them.
    #[schemars(example = 21)]
    followed_up: u64,
    /// Calls whose message a cap or a failure stopped, and that no later one follows. `GET /api/v1/calls?stopped=true` lists them.
    #[schemars(example = 1)]
    stopped: u64,
    /// Calls that nobody answered and that no message follows, by the reason of the first decision: one of `x-codes` at the root of the
    /// document. A call that is decided again stays counted.
    #[schemars(example = json!({"cooldown": 1, "no_channel": 1}))]
    not_followed_up: BTreeMap<String, u64>,
    /// Calls by outcome. A call whose outcome changed when it was decided again counts for both.
    outcomes: OutcomeFiguresOut,
}

/// Calls by outcome.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct OutcomeFiguresOut {
    /// Somebody spoke.
    #[schemars(example = 38)]
    answered: u64,
    /// It rang and nobody picked up.
    #[schemars(example = 17)]
    missed: u64,
    /// The line was busy.
    #[schemars(example = 2)]
    busy: u64,
    /// The caller gave up early or in the menu.
    #[schemars(example = 1)]
    abandoned: u64,
    /// The caller left a recording.
    #[schemars(example = 2)]
    voicemail: u64,
    /// It came outside business hours.
    #[schemars(example = 1)]
    after_hours: u64,
    /// The call failed in the network.
    #[schemars(example = 0)]
    failed: u64,
    /// The outcome is not known.
    #[schemars(example = 3)]
    unknown: u64,
}

/// Messages that follow calls, by the states that they have reached on any channel.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct FollowUpFiguresOut {
    /// Planned.
    #[schemars(example = 21)]
    planned: u64,
    /// Accepted by a provider.
    #[schemars(example = 21)]
    accepted: u64,
    /// Delivered.
    #[schemars(example = 20)]
    delivered: u64,
    /// Read, if the customer shows that.
    #[schemars(example = 14)]
    read: u64,
    /// Answered by a message of the customer within seven days. A message can answer several; a reaction or a stop word answers none.
    #[schemars(example = 9)]
    replied: u64,
    /// Failed on all channels.
    #[schemars(example = 0)]
    failed: u64,
    /// Blocked by a check before sending.
    #[schemars(example = 0)]
    blocked: u64,
    /// Cancelled before anything was sent.
    #[schemars(example = 1)]
    cancelled: u64,
}

/// Range of a reply time, with both its ends.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ReplyRangeOut {
    /// At least this many seconds.
    #[schemars(example = 121)]
    from_seconds: u32,
    /// At most this many seconds.
    #[schemars(example = 300)]
    to_seconds: u32,
}

/// Replies within a time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReplyTimeOut {
    /// At most this many seconds after the follow-up was sent.
    #[schemars(example = 300)]
    up_to_seconds: u32,
    /// Number of replies.
    #[schemars(example = 4)]
    replies: u64,
}

/// Messages of customers by channel.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct ReceivedFiguresOut {
    /// By WhatsApp.
    #[schemars(example = 15)]
    whatsapp: u64,
    /// By SMS.
    #[schemars(example = 4)]
    sms: u64,
}

/// Refusals of customers.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct OptOutFiguresOut {
    /// Refusals of all messages, or of messages of other kinds than marketing.
    #[schemars(example = 1)]
    messages: u64,
    /// Refusals of marketing only.
    #[schemars(example = 2)]
    marketing: u64,
}

/// Conversions.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct ConversionFiguresOut {
    /// All conversions.
    #[schemars(example = 5)]
    all: u64,
    /// Conversions by kind.
    #[schemars(example = json!({"order": 4, "visit": 1}))]
    kinds: BTreeMap<String, u64>,
    /// Their values, one sum per currency.
    values: Vec<Price>,
}

/// The replies by the place of their bound.
fn replies(counters: &Counters) -> Replies {
    let mut replies = Replies::default();
    for (name, count) in counters {
        if let Counter::Replies(place) = Counter::read(name)
            && let Some(replies) = replies.get_mut(place)
        {
            *replies += count;
        }
    }
    replies
}

/// Reply times by their bounds.
pub(crate) fn reply_times(counters: &Counters) -> Vec<ReplyTimeOut> {
    let times = REPLY_TIMES.into_iter().zip(replies(counters));
    let times = times.map(|(up_to_seconds, replies)| ReplyTimeOut { up_to_seconds, replies });
    times.collect()
}

impl From<&Counters> for FiguresOut {
    fn from(counters: &Counters) -> Self {
        let word = |name: &str| counters.get(name).copied().unwrap_or_default();
        let outcome = |name: &str| word(&format!("calls_{name}"));
        let still = |name: &str| word(name).saturating_sub(word(&format!("{name}{UNDONE}")));
        let state = |name: &str| word(&format!("follow_up.{name}"));
        let (mut not_followed_up, mut values) = (BTreeMap::new(), Vec::new());
        for (name, count) in counters {
            match Counter::read(name) {
                Counter::Unfollowed(reason) => {
                    not_followed_up.insert(reason.to_owned(), *count);
                }
                Counter::Word(word) => {
                    let currency = word.strip_prefix("converted_").and_then(|code| code.parse().ok());
                    values.extend(currency.map(|currency| Price {
                        amount: *count,
                        currency,
                    }));
                }
                _ => {}
            }
        }
        let kinds = ConversionKind::ALL.map(ConversionKind::as_str).into_iter();
        let kinds = kinds.map(|kind| (kind.to_owned(), word(&format!("conversions_{kind}"))));
        let replies = replies(counters);
        let range = |(from_seconds, to_seconds)| ReplyRangeOut {
            from_seconds,
            to_seconds,
        };
        Self {
            calls: CallFiguresOut {
                all: word("calls"),
                unanswered: still(UNANSWERED),
                followed_up: still(FOLLOWED_UP),
                stopped: still(STOPPED),
                not_followed_up,
                outcomes: OutcomeFiguresOut {
                    answered: outcome("answered"),
                    missed: outcome("missed"),
                    busy: outcome("busy"),
                    abandoned: outcome("abandoned"),
                    voicemail: outcome("voicemail"),
                    after_hours: outcome("after_hours"),
                    failed: outcome("failed"),
                    unknown: outcome("unknown"),
                },
            },
            follow_ups: FollowUpFiguresOut {
                planned: state("planned"),
                accepted: state("accepted"),
                delivered: state("delivered"),
                read: state("read"),
                replied: replies.iter().sum(),
                failed: state("failed"),
                blocked: state("blocked"),
                cancelled: state("cancelled"),
            },
            recovered: word("recovered"),
            median_reply: median_reply_time(&replies).map(range),
            received: ReceivedFiguresOut {
                whatsapp: word("received_whatsapp"),
                sms: word("received_sms"),
            },
            opt_outs: OptOutFiguresOut {
                messages: word("opt_outs"),
                marketing: word("opt_outs_marketing"),
            },
            conversions: ConversionFiguresOut {
                all: word("conversions"),
                kinds: kinds.filter(|(_, count)| *count > 0).collect(),
                values,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::telephony::Outcome;
    use serde_json::{Value, from_value, to_value};

    use super::*;

    /// The figures of these counters, as JSON.
    fn figures(counters: &[(&str, u64)]) -> Value {
        let owned = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
        let counters: Counters = owned.collect();
        to_value(FiguresOut::from(&counters)).unwrap()
    }

    #[test]
    fn nothing_counted_is_zero_and_no_median() {
        let figures = figures(&[]);
        assert_eq!(figures["calls"]["all"], 0);
        assert_eq!(figures["median_reply"], Value::Null);
        assert_eq!(
            (&figures["conversions"]["kinds"], &figures["conversions"]["values"]),
            (&json!({}), &json!([]))
        );
    }

    /// Counters only grow, so what is no longer so is counted, too.
    #[test]
    fn calls_that_are_such_no_more_are_taken_off() {
        let shown = figures(&[
            ("calls_unanswered", 9),
            ("calls_unanswered_undone", 1),
            ("calls_followed_up", 5),
            ("calls_stopped", 4),
            ("calls_stopped_undone", 3),
        ]);
        let of = |name: &str| shown["calls"][name].as_u64().unwrap();
        assert_eq!([of("unanswered"), of("followed_up"), of("stopped")], [8, 5, 1]);
    }

    /// Under its own name, so that none is forgotten.
    #[test]
    fn every_outcome_has_a_figure() {
        let outcomes = figures(&[])["calls"]["outcomes"].as_object().unwrap().clone();
        for name in outcomes.keys() {
            let outcome: Outcome = from_value(json!(name)).unwrap();
            assert_eq!(outcome.as_str(), name);
            let counter = format!("calls_{name}");
            assert_eq!(figures(&[(counter.as_str(), 7)])["calls"]["outcomes"][name], 7);
        }
        assert_eq!(outcomes.len(), 8);
    }

    #[test]
    fn values_of_conversions_are_kept_apart_by_currency() {
        let shown = figures(&[
            ("conversions", 3),
            ("conversions_order", 2),
            ("conversions_visit", 1),
            ("converted_AED", 12_100),
            ("converted_EUR", 999),
        ]);
        let expected = json!({
            "all": 3, "kinds": {"order": 2, "visit": 1},
            "values": [{"amount": 12_100, "currency": "AED"}, {"amount": 999, "currency": "EUR"}],
        });
        assert_eq!(shown["conversions"], expected);
    }

    #[test]
    fn replies_have_a_number_and_a_range() {
        let shown = figures(&[("reply.0", 1), ("reply.4", 2), ("reply.99", 5), ("reply.planned", 3)]);
        assert_eq!(shown["follow_ups"]["replied"], 3);
        assert_eq!(shown["median_reply"], json!({"from_seconds": 121, "to_seconds": 300}));
    }
}
