"""The fault table: what breaks, what must hold all the same, which tests break it, which broken variant they catch.

One row a fault, in the order of where it strikes: processes, services, platform, time and order, hostile senders.
A variant is a program that is wrong in the way which the row is about; its test shows that the harness can fail.
Tests marked `faults` run in `make faults`, all others in `make test`; `test_table.py` keeps the table true.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Tests and variant are written `file below tests/::function`."""

    fault: str
    invariant: str
    tests: tuple[str, ...]
    variant: str = ""


TABLE = [
    # processes
    Row(
        "a worker is killed around the creation of a task",
        "each recipient is in exactly one accepted call",
        (
            "faults/test_killed.py::test_around_the_creation_of_a_task",
            "faults/test_killed.py::test_around_the_search_for_a_task",
            "faults/test_sending.py::test_a_killed_worker_and_a_call_that_goes_wrong_reach_everybody_once",
        ),
        "faults/test_sending.py::test_the_harness_catches_an_engine_that_tries_again_after_a_time_out",
    ),
    Row(
        "a worker is killed around a welcome",
        "the customer is greeted once, in time; another worker takes over within 3 s",
        (
            "faults/test_killed.py::test_around_a_welcome",
            "faults/test_kills.py::test_a_dead_workers_welcomes_are_taken_over_in_time",
        ),
    ),
    Row(
        "a process forks while one of its threads holds a lock",
        "the child rings, counts and waits with locks of its own",
        ("scrm/base/test_threads.py::test_a_child_does_not_inherit_a_held_lock",),
    ),
    Row(
        "a worker is killed around a read of the mirror",
        "the ledger ends as the platform is",
        (
            "faults/test_killed.py::test_around_a_customer",
            "faults/test_killed.py::test_around_a_chat",
            "faults/test_killed.py::test_around_a_member_of_staff",
            "faults/test_killed.py::test_around_the_departments",
            "faults/test_killed.py::test_around_the_tags",
        ),
    ),
    Row(
        "a worker is killed while results are read, or a task is taken back",
        "every result is booked, every cancelled recipient is",
        (
            "faults/test_killed.py::test_around_the_results",
            "faults/test_killed.py::test_deaths_between_pages_of_results_are_no_poison",
            "faults/test_killed.py::test_a_page_of_results_that_kills_its_worker_each_time_is_set_aside",
            "faults/test_killed.py::test_around_taking_a_task_back",
            "faults/test_killed.py::test_what_a_dead_worker_had_in_hand_is_looked_after_in_time",
            "faults/test_sending.py::test_failures_far_apart_do_not_add_up",
        ),
    ),
    Row(
        "a worker is killed around a message or a nudge to staff",
        "sent once or said to be unknown, never twice",
        (
            "faults/test_killed.py::test_around_a_message_to_staff",
            "faults/test_killed.py::test_around_a_reminder",
            "faults/test_killed.py::test_around_a_manual_post",
        ),
    ),
    Row(
        "a worker is killed in any step of the full sync",
        "the run goes on where it stood and ends with two equal worlds",
        ("faults/test_killed.py::test_around_a_step_of_the_sync",),
    ),
    Row(
        "the sync's worker is killed in the midst of page after page, or each time in the same",
        "it goes on where it stood, or fails and takes nobody; the next sync ends with two equal worlds",
        (
            "faults/test_sync_killed.py::test_a_sync_that_is_killed_in_page_after_page_goes_on",
            "faults/test_sync_killed.py::test_a_page_that_kills_its_worker_each_time_ends_the_run_and_takes_nobody",
        ),
    ),
    Row(
        "who fetches the token dies with its lock",
        "the next one has a token at the latest when the lock ends",
        ("faults/test_killed.py::test_around_a_new_token",),
    ),
    Row(
        "a web worker is killed around its commit",
        "what was acknowledged is stored",
        ("faults/test_crashes.py::test_no_acknowledged_callback_is_missing",),
        "faults/test_crashes.py::test_the_harness_catches_a_receiver_that_acknowledges_first",
    ),
    Row(
        "web worker, web server, welcome or mirror worker, beat killed while traffic runs",
        "all acknowledged within the platform's three tries, both ledgers equal, everybody greeted once",
        ("faults/test_kills.py::test_traffic_goes_on_when_a_process_is_killed",),
    ),
    Row(
        "web servers and workers are changed in turn under load",
        "no callback fails, each process ends within 10 s, nobody is greeted twice",
        (
            "faults/test_kills.py::test_two_web_servers_changed_in_turn_fail_no_callback",
            "faults/test_kills.py::test_a_worker_that_is_told_to_end_has_ended_within_ten_seconds",
        ),
    ),
    Row(
        "two beats, a beat that is dead for ten minutes, a message that is lost",
        "each night's work is done once",
        (
            "scrm/base/test_nightly.py::test_two_beats_start_one_sync",
            "scrm/base/test_nightly.py::test_a_beat_that_was_dead_for_ten_minutes_makes_up_for_it_once",
        ),
        "scrm/base/test_nightly.py::test_without_the_unique_row_the_late_message_of_a_second_beat_starts_another",
    ),
    Row(
        "a handler kills its process, eats all memory or fails each time",
        "quarantined after three attempts, alone; others are not held up",
        (
            "faults/test_poison.py::test_what_kills_its_worker_is_set_aside_alone",
            "faults/test_poison.py::test_what_raises_or_eats_memory_holds_nobody_up",
            "scrm/base/test_work.py::test_work_that_kills_its_worker_three_times_is_quarantined",
            "scrm/base/test_work.py::test_three_failures_lead_into_quarantine_and_block_nobody",
        ),
        "faults/test_poison.py::test_the_harness_catches_suspects_that_are_tried_together",
    ),
    Row(
        "a process of the demo is killed: PostgreSQL, Redis, stand-in, web server, any worker, beat",
        "it is started again at its place, the demo says so and is in service again",
        (
            "embedded/test_demo.py::test_whatever_dies_is_started_again",
            "embedded/test_demo.py::test_runs_heals_and_ends",
            "embedded/test_children.py::test_a_child_that_fails_at_once_waits_before_its_next_start",
        ),
    ),
    # services
    Row(
        "PostgreSQL crashes under load",
        "what was acknowledged is stored; the receiver comes back by itself",
        (
            "faults/test_postgres_away.py::test_a_crashing_postgres_loses_nothing_acknowledged",
            "faults/test_postgres_away.py::test_a_postgres_that_restarts_is_missed_by_nobody",
        ),
        "faults/test_postgres_away.py::test_the_harness_catches_commits_that_do_not_wait_for_the_disk",
    ),
    Row(
        "PostgreSQL is away for a minute while customers are added and calls are in flight",
        "503 at once, what was acknowledged is stored, workers go on by themselves, nobody is greeted twice",
        ("faults/test_postgres_long_away.py::test_postgres_is_away_for_a_minute",),
    ),
    Row(
        "PostgreSQL hangs, or a table is locked",
        "the platform is answered within its 5 s; all works again within 10 s",
        (
            "faults/test_postgres_away.py::test_a_hanging_postgres_costs_the_platform_no_time",
            "faults/test_postgres_away.py::test_a_locked_table_is_no_reason_to_keep_the_platform_waiting",
        ),
        "faults/test_postgres_away.py::test_the_harness_catches_a_receiver_that_waits_for_a_hanging_postgres",
    ),
    Row(
        "the inbox's disk is full, or read-only",
        "503, never a false 200; all works again within 10 s",
        (
            "faults/test_postgres_away.py::test_a_full_disk_acknowledges_nothing_that_it_cannot_keep",
            "faults/test_postgres_away.py::test_a_read_only_postgres_acknowledges_nothing",
        ),
    ),
    Row(
        "Redis hangs",
        "callbacks are answered within a second, customers greeted",
        ("faults/test_services_away.py::test_a_hanging_redis_delays_neither_the_answer_nor_the_greeting",),
    ),
    Row(
        "Redis flushed, stopped, restarted empty, full, hanging, slow",
        "customers are greeted once and in time, pages answer, what was spent of a budget does not come back",
        (
            "faults/test_redis_away.py::test_whatever_redis_does_customers_are_greeted_and_pages_answer",
            "faults/test_redis_away.py::test_a_worker_hears_again_after_redis_was_away",
            "scrm/wecom/test_quotas.py::test_a_flushed_bucket_goes_on_where_this_process_saw_it",
        ),
    ),
    Row(
        "somebody works in the console while Redis is gone or hangs",
        "every page waits for it twice at most and says what it can't know; log-ins go on, guesses are braked",
        (
            "site/test_redis_away.py::test_every_page_answers_without_long_waits_and_says_what_it_does_not_know",
            "site/test_redis_away.py::test_people_log_in_and_are_braked_while_redis_is_gone",
        ),
    ),
    # platform
    Row(
        "a creating call ends in 5xx, -1, a cut, a time-out, a reset, garbage",
        "an unknown task is looked for before anything is created again",
        (
            "faults/test_sending.py::test_a_call_that_goes_wrong_reaches_everybody_once",
            "faults/test_sending.py::test_while_the_list_cannot_be_read_nothing_is_created_again",
        ),
        "faults/test_sending.py::test_the_harness_catches_an_engine_that_tries_again_after_a_time_out",
    ),
    Row(
        "too many calls (45009)",
        "one refused call per pause; other APIs go on",
        (
            "faults/test_sending.py::test_too_many_calls_are_a_refusal_that_waits",
            "scrm/wecom/test_quotas.py::test_too_many_calls_pause_that_api_alone",
        ),
    ),
    Row(
        "the token is revoked early, or expires before many processes at once",
        "one new token",
        (
            "scrm/wecom/test_tokens.py::test_many_processes_fetch_one_token_per_expiry",
            "scrm/wecom/test_tokens.py::test_early_revocation_costs_many_processes_one_new_token",
        ),
    ),
    Row(
        "any API fails at its first call: 5xx, cut, reset, garbage, busy, too many at once, slow",
        "every lane and the sync get through; two equal worlds, nobody twice",
        ("faults/test_platform.py::test_the_first_call_of_every_api_fails",),
    ),
    Row(
        "several APIs are asked too often at once (45009), or stay busy (-1)",
        "one refused call for each API and pause; three tries of a read, one of a deed",
        (
            "faults/test_platform.py::test_an_api_that_is_asked_too_often_pauses_alone",
            "faults/test_platform.py::test_a_busy_platform_is_asked_three_times_for_a_read_and_once_for_a_deed",
            "faults/test_platform.py::test_a_token_revoked_in_the_midst_costs_one_new_one",
        ),
    ),
    Row(
        "WeCom refuses for good to tell a result or its list of tasks",
        "the broadcast ends, the reason is said, nothing is created again",
        (
            "faults/test_sending.py::test_a_result_that_wecom_refuses_to_tell_ends_the_broadcast",
            "faults/test_sending.py::test_a_search_that_wecom_refuses_ends_the_broadcast",
        ),
    ),
    Row(
        "absent fields, unknown numbers, numbers as text, empty last pages, -1, 84061 for nobody",
        "both ledgers end as a platform made from the documents alone is; the next sync finds no drift",
        ("otherplatform/test_life.py::test_ledgers_are_true_when_the_platform_shows",),
    ),
    Row(
        "a serving member is in no department that the app sees",
        "nobody's friendship ends",
        ("otherplatform/test_quirks.py::test_follow_user_outside_the_address_book_serves_customers",),
    ),
    Row(
        "a member's userid looks like a customer's",
        "the reading's type decides",
        ("otherplatform/test_quirks.py::test_new_member_with_an_id_like_a_customers_is_no_customer",),
    ),
    Row(
        "a broadcast's answer is lost, its tasks come late, its recipients are no friends or have had enough",
        "what is booked is what arrived",
        (
            "otherplatform/test_broadcast.py::test_what_arrived_is_booked",
            "otherplatform/test_broadcast.py::test_a_task_without_an_answer_is_found_again_and_not_made_twice",
        ),
    ),
    # time and order
    Row(
        "any history with losses, repeats, late reads, failing calls and deaths",
        "nothing acknowledged is lost, no ledger contradicts itself, a sync ends in two equal worlds",
        (
            "faults/test_any_history.py::test_any_history_ends_in_two_equal_worlds",
            "faults/test_any_history.py::test_many_histories_end_in_two_equal_worlds",
        ),
    ),
    Row(
        "any day of broadcasts with failing calls, deaths, every button at every moment, private sends of the same words",
        "each task is ours or being looked for, a pause and the brake hold at once, at the end each recipient's result is WeCom's",
        (
            "faults/test_any_broadcast.py::test_any_broadcast_asks_nobody_twice",
            "faults/test_any_broadcast.py::test_many_broadcasts_ask_nobody_twice",
        ),
        "faults/test_any_broadcast.py::test_the_histories_catch_an_engine_that_looks_once_too_few",
    ),
    Row(
        "a tenth of a day's callbacks is dropped, a tenth doubled, all are shuffled",
        "the next sync ends in two equal worlds, as far as they can be known; the one after it finds no drift",
        ("faults/test_bad_post.py::test_a_day_of_bad_post_ends_in_two_equal_worlds",),
    ),
    Row(
        "the platform goes on listing who deleted us",
        "presence reopens no friendship",
        ("faults/test_variants.py::test_presence_reopens_no_friendship",),
        "faults/test_variants.py::test_the_harness_catches_a_ledger_that_believes_in_presence",
    ),
    Row(
        "a slow read of staff, departments, tags or of who serves customers that began before an event or another read",
        "what the event's own read has said stands",
        (
            "contacts/test_slow_reads.py::test_of_departments",
            "contacts/test_slow_reads.py::test_of_tags",
            "contacts/test_slow_reads.py::test_of_a_members_name",
            "contacts/test_slow_reads.py::test_of_a_member_who_left",
            "contacts/test_slow_reads.py::test_of_a_member_who_was_renamed",
            "contacts/test_slow_reads.py::test_of_who_serves_customers",
            "contacts/test_slow_reads.py::test_of_who_serves_customers_while_a_member_gets_a_friend",
            "contacts/test_slow_reads.py::test_of_an_old_friendship_that_is_told_of_again",
            "contacts/test_slow_reads.py::test_of_who_serves_customers_by_a_former_userid",
        ),
    ),
    Row(
        "somebody is read again while a sync still looks for all that is gone",
        "whom the later read shows stays",
        (
            "contacts/test_sync.py::test_whom_a_later_read_shows_before_the_removals_are_written_stays",
            "groups/test_sync.py::test_whom_a_later_read_shows_before_the_removals_are_written_stays",
        ),
    ),
    Row(
        "two approve broadcasts with equal words for equal people at the same moment",
        "nobody gets both",
        ("campaigns/test_planning.py::test_of_two_approved_at_once_the_second_counts_the_first",),
    ),
    Row(
        "a chat leaves the app's sight and is listed again",
        "it comes back with the stays that go on; who left meanwhile left after the last proof; a told dismissal stands",
        (
            "groups/test_sync.py::test_a_chat_that_is_in_sight_again_comes_back_with_its_stays",
            "groups/test_sync.py::test_who_came_again_while_a_chat_was_out_of_sight_has_two_stays",
            "groups/test_sync.py::test_a_read_that_began_before_a_chat_went_out_of_sight_does_not_bring_it_back",
            "groups/test_mirror.py::test_an_event_after_a_chat_went_out_of_sight_brings_it_back",
        ),
        "groups/test_sync.py::test_a_dismissal_that_an_event_told_of_stands_against_any_list",
    ),
    Row(
        "a worker sleeps over the end of its lease",
        "it writes nothing",
        ("faults/test_variants.py::test_a_late_worker_writes_nothing",),
        "faults/test_variants.py::test_the_harness_catches_claims_without_a_look_at_the_lease",
    ),
    Row(
        "a worker dies with a lease in hand",
        "its lease ends, another greets",
        ("faults/test_variants.py::test_a_dead_workers_lease_ends",),
        "faults/test_variants.py::test_the_harness_catches_a_lease_that_never_ends",
    ),
    Row(
        "a job takes longer than its lease",
        "the lease is renewed, the job done once",
        ("faults/test_variants.py::test_the_lease_of_a_slow_job_is_renewed",),
        "faults/test_variants.py::test_the_harness_catches_a_lease_that_is_never_renewed",
    ),
    Row(
        "an event of a chat is lost",
        "the gap is seen at the next event and healed by a read",
        ("faults/test_variants.py::test_a_lost_event_is_a_gap_that_a_read_heals",),
        "faults/test_variants.py::test_the_harness_catches_a_mirror_that_ignores_gaps",
    ),
    Row(
        "events of a chat are repeated",
        "people are counted, not added up",
        ("faults/test_variants.py::test_people_are_counted_not_added_up",),
        "faults/test_variants.py::test_the_harness_catches_a_counter_that_adds_what_events_say",
    ),
    Row(
        "the platform's clock is ten minutes off",
        "a lost task is found, a welcome sent, both ledgers are right",
        (
            "faults/test_time.py::test_a_lost_task_is_found_by_a_clock_ten_minutes_off",
            "faults/test_time.py::test_a_welcome_and_both_ledgers_bear_a_clock_ten_minutes_off",
        ),
        "faults/test_time.py::test_the_harness_catches_a_search_that_trusts_all_clocks",
    ),
    Row(
        "events are dated a year ahead",
        "the sync ends and is right",
        ("faults/test_time.py::test_dates_a_year_ahead_do_not_hold_up_the_sync",),
    ),
    Row(
        "months and days turn in other zones, in leap years, with summer time",
        "the receive rule counts Beijing's months, company days are the company's",
        (
            "faults/test_time.py::test_the_months_of_the_receive_rule_are_beijings",
            "faults/test_time.py::test_company_days_follow_the_companys_zone",
        ),
    ),
    Row(
        "callbacks at the edge of a month; a partition that was not made in time, or is made by two at once",
        "each counts on its company's day, nothing is lost, nobody fails or is locked out",
        (
            "faults/test_month_edges.py::test_callbacks_at_the_edge_of_a_month_count_on_the_companys_day",
            "faults/test_month_edges.py::test_an_approval_before_the_nights_work_is_done_makes_its_own_month_alone",
            "faults/test_month_edges.py::test_two_that_make_the_same_month_do_not_hinder_each_other",
            "analytics/test_sending.py::test_partitions_reach_a_year_ahead_and_take_what_lay_in_none",
        ),
    ),
    Row(
        "callbacks come several times, in any order",
        "both ledgers end as the platform is",
        ("journeys/test_any_order.py::test_any_order_and_any_repetition_end_in_the_same_ledgers",),
    ),
    Row(
        "many customers are added in one second",
        "none is taken for a repeat of another",
        ("scrm/wecom/test_inbox.py::test_ten_thousand_adds_of_one_second_are_ten_thousand",),
        "scrm/wecom/test_inbox.py::test_the_official_key_would_have_kept_one",
    ),
    Row(
        "reads after an event show what was before it",
        "nothing is taken back",
        ("otherplatform/test_quirks.py::test_late_reads_take_nothing_back",),
    ),
    Row(
        "a callback about a chat never comes",
        "the gap is found by its version and healed by the next read",
        ("otherplatform/test_quirks.py::test_version_gap_is_healed_by_the_next_read",),
    ),
    # hostile senders
    Row(
        "a body over 64 KiB",
        "413 and nothing stored",
        ("scrm/wecom/test_inbox.py::test_more_than_64_kib_get_413",),
    ),
    Row(
        "an unsigned envelope full of blanks",
        "refused at once, no second of the processor",
        ("scrm/wecom/test_inbox.py::test_blanks_without_end_cost_nobody_a_second",),
    ),
    Row(
        "damaged envelopes and odd events: bytes, encodings, lengths, nesting, numbers",
        "refused, kept as unreadable or done; no lane fails over and over",
        (
            "scrm/wecom/test_hostile_events.py::test_an_envelope_is_opened_or_refused",
            "scrm/wecom/test_hostile_events.py::test_64_kib_of_the_worst_are_stored_once",
            "scrm/wecom/test_hostile_events.py::test_no_odd_event_fails_in_a_lane",
        ),
    ),
    Row(
        "answers of the platform that lack their main part or hold the wrong types",
        "a typed error; nobody told of is not read as nobody there",
        (
            "scrm/wecom/test_hostile_events.py::test_no_answer_breaks_a_shape",
            "scrm/wecom/test_hostile_events.py::test_an_answer_without_its_main_part_is_none",
            "scrm/wecom/test_hostile_events.py::test_a_half_answer_ends_no_friendship_and_empties_no_chat",
        ),
    ),
    Row(
        "answers without end, of 20 MB, cut, dripping, packed bombs, pages with status 200",
        "memory flat, no longer than a whole answer; the sync says what it waits for, nobody is lost",
        (
            "scrm/wecom/test_hostile_answers.py::test_no_answer_fills_memory_or_is_taken_for_one",
            "scrm/wecom/test_hostile_answers.py::test_an_answer_in_drops_takes_no_longer_than_a_whole_one",
            "scrm/wecom/test_hostile_answers.py::test_a_sync_waits_for_a_platform_in_its_right_mind_and_loses_nobody",
        ),
    ),
    Row(
        "a list whose cursors lead in a circle, or are refused again and again",
        "the call or the sync ends and says so, nobody is lost",
        (
            "scrm/wecom/test_hostile_answers.py::test_a_list_without_an_end_is_no_answer",
            "scrm/wecom/test_hostile_answers.py::test_a_sync_of_a_list_without_an_end_fails_and_takes_nobody",
        ),
    ),
    Row(
        "the platform leaves out a list that may be empty",
        "the sync ends well, nobody's friendship, tag or chat ends by it",
        (
            "scrm/wecom/test_hostile_events.py::test_a_list_that_is_left_out_is_empty_and_one_that_is_none_no_answer",
            "scrm/wecom/test_hostile_events.py::test_a_sync_survives_lists_that_are_left_out_and_ends_nothing_by_them",
        ),
    ),
    Row(
        "odd addresses, queries, bodies and tokens at every operation of the API",
        "answers as the API describes them, no 5xx, nothing of another department, nothing without a token",
        (
            "api/test_fuzz.py::test_answers_are_as_described",
            "api/test_fuzz.py::test_ids_of_another_department_open_nothing",
            "api/test_fuzz.py::test_without_a_token_every_method_is_refused",
            "api/test_fuzz.py::test_a_token_that_is_none_opens_nothing",
        ),
    ),
    Row(
        "two tabs, or two people, with the same form",
        "the second is told so before anything is overwritten, and loses nothing of what was typed",
        (
            "campaigns/test_two_tabs.py::test_of_a_draft",
            "campaigns/test_two_tabs.py::test_of_a_welcome_rule_with_its_attachments",
            "campaigns/test_two_tabs.py::test_a_right_that_was_taken_away_does_not_come_back_with_an_old_tab",
        ),
    ),
    Row(
        "odd filters, dates, pages and ids in the addresses of the console",
        "a page or a refusal, no 5xx, nothing of another department, no way to other hosts",
        (
            "site/test_fuzz.py::test_no_address_breaks_anything",
            "site/test_fuzz.py::test_bob_finds_nothing_of_another_department",
            "site/test_fuzz.py::test_no_filter_of_a_list_breaks_it",
        ),
    ),
    Row(
        "other sites: foreign hosts, frames, scripts, cookies, caches",
        "a foreign host gets 400, every page is closed to other sites, nothing about people rests in caches",
        (
            "site/test_headers.py::test_a_foreign_host_gets_nothing",
            "site/test_headers.py::test_every_page_is_closed_to_other_sites_and_rests_in_no_cache",
            "site/test_headers.py::test_cookies_stay_on_this_site_and_where_we_are_called_by_https_on_https",
            "site/test_headers.py::test_a_public_address_with_https_is_never_spoken_to_without",
        ),
    ),
    Row(
        "uploads with odd names, of the wrong kind, too large, bombs",
        "nothing is kept, unpacked or handed on under its name",
        (
            "site/test_uploads.py::test_no_file_is_kept_under_a_name_that_is_no_proofs",
            "site/test_uploads.py::test_no_file_is_kept_whose_content_is_no_proofs",
            "site/test_uploads.py::test_a_picture_goes_to_wecom_under_our_name",
            "site/test_uploads.py::test_a_picture_is_not_unpacked",
            "site/test_uploads.py::test_what_is_no_picture_never_leaves",
        ),
    ),
    Row(
        "guesses of passwords",
        "after some tries by name or address not even the right one is looked at",
        (
            "site/test_login.py::test_after_so_many_attempts_not_even_the_right_password_is_looked_at",
            "site/test_login.py::test_another_address_does_not_help_with_the_same_name",
        ),
    ),
    Row(
        "calls that fail in every way, links and tokens that are wrong, a page that breaks",
        "no secret in errors, logs, call log, audit trail, metrics, pages",
        ("site/test_secrets.py::test_no_failure_tells_a_secret",),
    ),
    Row(
        "names that are formulas, also in wide characters",
        "no cell of an exported file is one",
        ("scrm/base/test_exports.py::test_no_cell_is_a_formula",),
    ),
    Row(
        "500 slow senders, slow readers, bodies of 100 MB",
        "good callbacks answered within a second, memory flat",
        (
            "faults/test_hostile_senders.py"
            "::test_slow_senders_and_readers_delay_nobody_and_bodies_without_end_fill_nothing",
        ),
        "faults/test_hostile_senders.py::test_the_harness_catches_a_server_whose_threads_are_few",
    ),
]
