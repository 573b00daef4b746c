/* limits: every bound of the node, once, with its reason. Sizes in bytes, times in the unit named
 * last. */
#ifndef WEIR_BASE_LIMITS_H
#define WEIR_BASE_LIMITS_H

/* --- contracts --------------------------------------------------------------------------- */
#define ENTRY_KEY_BYTES_MAX   255u       /* one length byte; with its prefix an LMDB key (511) */
#define ENTRY_VALUE_BYTES_MAX (1u << 20) /* one entry is one log record and one LMDB value */
#define PARAMS_BYTES_MAX      16384u     /* room for 256 writers and a name */
#define NAME_BYTES_MAX        1024u      /* the `name` parameter */
#define WRITERS_MAX           256u       /* listed writers of a contract */
#define KIND_NAME_BYTES_MAX   32u
#define STATE_BYTES_MAX       (50u << 20)   /* default of --max-state */
#define STATE_BYTES_CEILING   (1024u << 20) /* what --max-state may be raised to */
#define EDIT_OPERANDS_MAX     4096u /* frames of one EDIT: bounds how long others wait for it */
#define EDIT_BYTES_MAX        (1u << 20) /* all its operands; larger edits come in batches */

/* --- rooms (group chats) ------------------------------------------------------------------ */
#define ROOM_ENTRIES_MAX           8192u /* of one room; past it the oldest messages go */
#define ROOM_LINKS_MAX             16u   /* invitations from the owner down to an author */
#define ROOM_NAME_BYTES_MAX        100u
#define ROOM_DESCRIPTION_BYTES_MAX 500u
#define ROOM_TEXT_BYTES_MAX        4000u /* of a message, and of a direct one */
#define ROOM_NICKNAME_BYTES_MAX    50u
#define ROOM_REACTION_BYTES_MAX    64u   /* an emoji of many parts has about 40 */
#define ROOM_MODERATORS_MAX        32u   /* named in a configuration */
#define ROOM_MEMBERS_MAX           1000u /* that a configuration may allow; copies of one key */
#define ROOM_BANS_MAX              1000u /* that a configuration may allow */
#define ROOM_MESSAGES_DEFAULT      1000u /* shown, until the owner says otherwise */
#define ROOM_MEMBERS_DEFAULT       200u
#define ROOM_BANS_DEFAULT          200u
#define STAMP_AHEAD_MS_MAX         300000u /* a client's entry past its node's clock: clocks differ */
#define STAMP_DRAG_MS_MAX          (STAMP_AHEAD_MS_MAX / 2) /* dated further ahead moves no clock */
#define ROOM_INVITATION_BYTES_MAX  4096u /* 17 links and parameters with the longest name: 3,000 */
#define ROOM_SEEDS_MAX             4u /* invitations that a card keeps until nothing more opens by them */
#define ROOM_QUEUE_BYTES_MAX       (4u << 20) /* written and not sent; then BUSY */
#define ROOM_KEYS_HELD_MAX         1024u      /* of one room, the newest of when it was opened */
#define ROOM_FILE_BYTES_MAX        (1u << 20) /* what is kept of a room on a person's machine */
#define ROOM_BOOK_ROOMS_MAX        1000u      /* of one person; read whole at each start */

/* --- the chat ----------------------------------------------------------------------------- */
#define CHAT_MARKS_MAX       4u     /* on one character: what a cell of ncurses has room for */
#define CHAT_INPUT_BYTES_MAX 16384u /* being written; a room takes at most ROOM_TEXT_BYTES_MAX */
#define CHAT_PAST_MAX        100u   /* lines sent before that can be had again */
#define CHAT_AHEAD_MS        30000u /* clocks differ by so much; what is dated later is marked */
#define CHAT_RETRY_MS        1000u  /* after what the node did not take for now */
#define CHAT_SHARE_MS        60000u /* between looks for members without the room's key */
#define CHAT_SAVE_MS         2000u  /* between saves of how far a room was read */
#define CHAT_NOTE_MS         5000u  /* a note can be read: then the next key takes it away … */
#define CHAT_NOTE_MS_MAX     60000u /* … and without one it goes by itself */
#define CHAT_END_MS          3000u  /* for what waits to be sent when the chat is ended */

/* --- client socket ----------------------------------------------------------------------- */
#define REQUEST_ID_BYTES_MAX       16u
#define CLIENTS_MAX                10000u /* sessions kept; the longest idle one goes first */
#define CLIENT_CONNECTIONS_MAX     1024u  /* about 50 KiB each in a crowd; more are turned away */
#define CLIENT_HANDSHAKE_MS        5000   /* for libzmq's; nothing is asked before */
#define CLIENT_OPEN_MAX            256u   /* requests of one client being worked on */
#define CLIENT_OPEN_BYTES_MAX      (64u << 20) /* their bytes; one larger request may stand alone */
#define OPEN_MAX                   8192u       /* requests of all clients */
#define OPEN_BYTES_MAX             (256u << 20)
#define CLIENT_PIPE_REQUESTS       16     /* libzmq's queue a client, in */
#define CLIENT_PIPE_REPLIES        256    /* libzmq's queue a client, out */
#define CLIENT_PARKED_MAX          1024u  /* replies that a client does not take, then BUSY … */
#define CLIENT_PARKED_REFUSALS_MAX 16384u /* … and past this many its requests are discarded */
#define OWED_BYTES_MAX             (256u << 20) /* large frames not taken: large reads wait */
#define CLIENT_OWED_BYTES_MAX      (8u << 20)   /* of one client: it gets no notification */
#define LARGE_FRAME_BYTES          8192u /* from here on a frame is lent to the socket, not copied */
#define CLIENT_RETRY_MS            2u    /* for replies that a client did not take */
#define PUMP_REQUESTS              256u  /* taken from the socket before others have their turn */
#define SUBSCRIPTIONS_MAX          200000u
#define CLIENT_SUBSCRIPTIONS_MAX   10000u
#define PEER_SUBSCRIPTIONS_MAX     1000000u    /* one for each contract and host near by */
#define WAITING_DELTA_BYTES_MAX    (1u << 20)  /* for a slow subscriber; then the whole state */
#define WAITING_DELTAS_BYTES_MAX   (32u << 20) /* the same, all subscribers */
#define WHOLE_RETRY_MS             1000u       /* after a whole state that could not be read */

/* --- storage ----------------------------------------------------------------------------- */
#define LOG_SEGMENT_BYTES       (16u << 20) /* preallocated, overwritten, recycled */
#define LOG_SEGMENTS_MAX        12u         /* bounds the log on disk at 192 MiB */
#define LOG_RECORD_BYTES_MAX    (4u << 20)  /* larger changes are logged in pieces */
#define LOG_ALIGN               4096u /* a flush never rewrites a page that a former one synced */
#define LOG_BATCH_RECORDS_MAX   4096u /* records of one flush */
#define LOG_SEARCH_BYTES_MAX    (32u << 20) /* summed to find records: a value may look like many */
#define UNFOLDED_BYTES_MAX      (48u << 20) /* merged and not yet in LMDB; past it new work waits */
#define UNFOLDED_LARGE_MAX      (36u << 20) /* large merges wait from here on: small ones go on */
#define FOLD_AT_BYTES           (24u << 20) /* a fold starts when this much waits … */
#define FOLD_EVERY_MS           1000u       /* … or this long after the first change */
#define TELL_FULL_EVERY_MS      60000u      /* that the store is full, in the node's log */
#define FOLD_RETRY_MS           100u        /* after a fold that could not start */
#define LOG_FOLD_AT_BYTES       (64u << 20) /* … or when the log has grown to this (small flushes) */
#define SIGNATURES_A_SLICE      32u  /* about 2 ms of verifying, then others have their turn */
#define CONTRACTS_A_SLICE       500u /* of a CONTRACTS answer */
#define HOLDINGS_A_SLICE        500u /* keys of stored contracts told at once */
#define MERGE_SLICE_BYTES       (128u << 10) /* a large merge gives way to others after this much */
#define READ_SLICE_BYTES        (128u << 10) /* so does a large read */
#define READ_JOBS_MAX           4u /* large reads at once: each pins a snapshot and holds a state */
#define LARGE_READS_WAITING_MAX 64u /* of one client, for it to take its last one; then BUSY */
#define KEPT_STATE_BYTES_MAX    (16u << 20) /* the last large state read is kept up to this … */
#define KEPT_STATE_MS           1000u       /* … and this long after the last read of it */
#define LIST_JOBS_MAX           4u          /* CONTRACTS answers under work */
#define WALKS_MAX               64u /* parts for syncs and far GETs under work, others wait */
#define WALK_SLICE_BYTES        (256u << 10) /* of entries hashed, then others have their turn … */
#define WALK_SLICE_ENTRIES_MAX  1024u        /* … small ones by number: about 2 ms */
#define READ_RETRY_MS           2u /* for a large read whose client has not taken its last one */
#define MAP_BYTES_FIRST         (256u << 20) /* LMDB's map at first; grows by itself */
#define TRIM_FROM_BYTES         (4u << 20)   /* memory is given back after a fold of that much */
#define TRIM_EVERY_FOLDS        60u         /* … and after so many smaller ones, about a minute */
#define DISK_RESERVE_BYTES      (16u << 20) /* free space kept for the log and LMDB's page copies */

/* --- peers ------------------------------------------------------------------------------- */
#define HOLDINGS_MAX 2000000u /* contracts that hosting keeps fed, about 300 bytes each */
/* Of them, here for what peers say alone, one of them or all, not stored (yet); more are refused.
 * The rest is for what this node has and its clients want. */
#define HOLDINGS_A_PEER_MAX   65536u
#define HOLDINGS_OF_PEERS_MAX 1000000u

#define ABOUTS_OUT_MAX    256u  /* contracts that hosting asks storage about at once */
#define JOIN_TIMEOUT_MS   1500u /* for JOINED: the feed may have to join others first; … */
#define JOIN_DOUBLINGS    3u /* … twice as long after each that did not come, so often at most */
#define JOIN_WAIT_MS      5000u /* what a SUBSCRIBE waits for a feed, one after the other */
#define GET_WAIT_MS       1000u /* what a GET waits for what is here to be up to date again */
#define FEED_RETRY_MS     250u  /* after a feed that did not work, doubled each time … */
#define FEED_RETRY_MS_MAX 10000u
#define FEEDS_FAILED_MAX  4u     /* of a contract, remembered: 16 bytes each in every row */
#define CONFIRMS_MAX      4u     /* JOINs of a new feed until enough nodes hold the contract … */
#define CONFIRM_MS        10u    /* … after so long, four times as long each time */
#define PLACING_MS        700u   /* what a PUT waits for its copies, at most */
#define REFRESH_EVERY_MS  30000u /* each contract's fingerprint is compared with its feed's … */
#define DIFFER_MS         1000u  /* after two that differ, before they are compared again */
#define DIFFERS_MAX       3u     /* … twice as long each time, so often between two refreshes */
#define REFRESH_STEP_MS   5u     /* … but not more than one in so long */
#define EVICT_AT_PERCENT  80u    /* of --max-store: from here on what nobody needs is dropped … */
#define EVICT_IDLE_MS     60000u /* … if it was not asked for during this … */
#define EVICTIONS_AT_ONCE 64u    /* … so many at a time */
#define SYNCS_MAX         4096u  /* begun here at once; more wait */

/* Syncs begun by peers; more are left unanswered, and begun again later. By one peer: as many as a
 * node begins in all. And the bytes of the walks that answer them, as large as they may get; others
 * wait. */
#define SYNCS_ANSWERED_MAX       16384u
#define SYNCS_A_PEER_MAX         4096u
#define SYNCS_ANSWERED_BYTES_MAX (128u << 20)
#define SYNCS_A_PEER_BYTES_MAX   (8u << 20)

#define SYNC_PARTS_OUT      2u     /* DELTAs of a sync that the socket has not taken */
#define SYNC_TIMEOUT_MS     30000u /* without a word of it */
#define SYNC_ROUNDS_MAX     250u
#define SYNC_BODY_BYTES_MAX (128u << 10) /* one body of a sync by ranges; coarser past it */

/* --- connections to peers ---------------------------------------------------------------- */
#define PEERS_MAX_DEFAULT 64u    /* of --max-peers; gateways and pinned peers come on top */
#define PEERS_WANTED      24u    /* live; while a node has fewer it wants whoever it hears of */
#define PEERS_KNOWN_MAX   1024u  /* in the table of peers; the least useful goes */
#define PINNED_MAX        64u    /* gateways and peers that an operator named, in all */
#define LINKS_A_PEER      8u     /* live, dialling, waiting, and some that are closing */
#define REMEMBER_EVERY_MS 10000u /* at most this often are known peers given to be written */
#define KNOWN_PEERS_MAX   64u    /* of them */
#define PING_AFTER_MS     5000u  /* of silence (lesson L5), and again after each so long … */
#define PINGS_MAX         3u     /* … so many times … */
#define PING_ANSWER_MS    4000u /* … and dead this long after the last: 19 s after it was heard */
#define DOUBT_MS          1000u /* who says nothing so long after it was told something is pinged … */
#define DOUBT_ANSWER_MS   2000u /* … and is silent after so long: others take its place meanwhile */
#define RELAPSE_MS        60000u  /* who is silent again within this after it was heard … */
#define STEADY_MS         2000u   /* … is to be heard so long before it is trusted, doubled … */
#define RELAPSES_MAX      5u      /* … up to 32 s */
#define ROUND_TRIP_MS     60000u  /* a round trip is measured anew at most this often */
#define PROBE_MS          1000u   /* for a sign of life of the old one when a peer comes again */
#define CROSSING_MS       500u    /* an inbound one waits so long for this node's own dial */
#define GRACE_MS          3000u   /* for the side whose turn it is to dial (lesson D4) */
#define GATEWAY_GRACE_MS  300u    /* the same for a gateway, which may not know of this node */
#define REDIAL_MS         250u    /* the first pause, doubled each time … */
#define REDIAL_MS_MAX     30000u  /* … up to this, and a quarter more or less */
#define REDIAL_RESET_MS   30000u  /* a connection that lived so long begins anew */
#define STALE_NEWS_MS     1000u   /* what is told so soon after a peer went does not know of it */
#define REVIVE_EVERY_MS   30000u  /* later news of it end its pause, but not more often than this */
#define DIAL_TRIES        6u      /* then others than gateways, pinned and near ones are given up */
#define GIVEN_UP_MS       600000u /* so long */
#define LEFT_MS           30000u  /* who said goodbye is not dialled so long */
#define REMOVED_MS        86400000u /* nor whose operator removed this node, unless it dials */
#define FULL_MS           30000u    /* nor who had no room, doubled each time … */
#define FULL_MS_MAX       600000u   /* … up to this */
#define LOST_MS           3600000u  /* near ones that vanished are redialled for so long */
#define DIALS_MAX         16u       /* under way at once */
#define SHED_AGE_MS       5000u     /* a full gateway keeps a connection for so long at least */
#define BLAMES_MAX        8u        /* broken rules of a peer, then it is refused … */
#define BLAME_MS          600000u   /* … if no more than this lies between them … */
#define SHUNNED_MS        60000u    /* … for so long */
#define CONNECT_WAIT_MS   10000u    /* for a CONNECT that an operator asked for */
#define NODE_REQUESTS_MAX 64u       /* CONNECTs and matrices that operators wait for */
#define MATRIX_WAIT_MS    1000u     /* for the peers' rows */
#define NEAR_A_SIDE       4u        /* ring neighbours that are kept live */
#define TOLD_A_SIDE       8u        /* of a peer's place: of whom it is told */
#define NODES_TOLD_MAX    64u       /* that are read of one NEIGHBOURS */
#define NEWS_MS           20u       /* news of live peers is gathered for so long */
#define TELL_AGAIN_MS     60000u    /* near ones are told of each other anew */
#define ROUTES_MAX        256u      /* CONNECTs on their way through this node … */
#define ROUTES_A_PEER_MAX 32u       /* … from one peer; more are answered: by nobody */
#define ROUTES_OWN        16u       /* … and kept for this node's own */
#define ROUTE_MS          5000u     /* for their answer */
#define INVITED_MS        15000u    /* who accepted a CONNECT, or was accepted, is wanted so long */
#define FAR_EVERY_MS      1000u     /* a far link is looked for, doubled while none is found … */
#define FAR_EVERY_MS_MAX  60000u    /* … up to this */
#define JOIN_EVERY_MS_MAX 60000u /* own place is looked for: at once, after 1 s, … up to this */

/* --- operations -------------------------------------------------------------------------- */
#define OPERATION_TIMEOUT_MS 60000u /* an open transaction is answered TIMEOUT after this */
#define RELAYS_MAX           4096u  /* GETs (and UPDATEs) of peers under way here; then BUSY */
#define RELAYS_A_PEER_MAX    512u   /* of one peer, so that one cannot take them all */
#define RELAY_TRIES_MAX      8u     /* live peers asked for one operation; then its last error */
#define RELAY_BESIDE_MAX     3u     /* of them, not nearer to the key; the first node does this */
#define RELAY_MARGIN_MS      250u   /* a hop has less time than its asker, to tell that it is up */
#define MOVES_MAX            64u    /* peers whose connection is replaced by another, at once … */
#define MOVE_MS              2000u /* … and how long one takes at most: crossing dials, a probe */
#define EDITS_HEARD_MAX      4096u /* EDITs of peers remembered, 80 bytes each: a second of many */
#define EDIT_ON_ITS_WAY_MS   1000u /* one asked again came within this, or is told "not known" */
#define PEER_BULK_BYTES      16384u /* messages from this on go in the bulk lane: one fragment */
#define RELAY_PATIENCE_MS    1000u  /* for the first word of who is asked; half of it at a relay */
/* … longer for a message of many bytes: 2 Mbit/s are not called silence */
#define RELAY_SLOW_BYTES_A_MS 256u
#define RELAY_STALL_MS        5000u /* an asker that takes no PIECE so long holds up its host's lane */
#define PIECES_OUT_MAX        2u    /* of a state that is served, not yet taken by the socket */

/* --- peers ------------------------------------------------------------------------------- */
#define NETWORK_BYTES_MAX      64u    /* a network's id, a text */
#define ADDRESS_TEXT_MAX       262u   /* HOST:PORT: a name of 255, brackets or a colon, 65535 */
#define HANDSHAKE_BYTES_MAX    1024u  /* a handshake message; the longest there is has 686 */
#define RECORD_PLAIN_BYTES_MAX 16384u /* of one record: what a ping waits for at most */
#define CONNECTIONS_MAX        1024u /* peers and strangers; descriptors, and 4 MiB each at worst */
#define CONNECTIONS_FOR_DIALS  16u   /* of them kept from strangers, so that this node can dial */
#define HANDSHAKE_MS           5000u /* to be connected in, then to finish a handshake in */
#define HANDSHAKES_MAX         256u  /* strangers at once; one more pushes out the oldest */
#define HANDSHAKES_A_PREFIX    16u   /* of them from one /24 or /48 */
#define HANDSHAKES_A_TURN      1u    /* some 0.25 ms of curves, then others have their turn */
#define PREFIX_HANDSHAKES_MAX  64u   /* at once from one prefix, after a while without any … */
#define PREFIX_HANDSHAKES_S    8u    /* … and then this many a second: under 1 % of a core */
#define PREFIXES_MAX           4096u /* remembered; beyond them nobody unknown is let in */
#define STRANGER_BYTES_MAX     16384u /* of memory for one; read from it are 2 KiB at once */
#define STRANGER_READ_BYTES    2048u  /* its message of at most 1,026 bytes, and the first record */
#define FIRST_RECORD_BYTES_MAX 1024u  /* sealed, from a stranger; those after it may be larger */
#define CONTROL_BYTES_MAX      65536u /* a message in lane control: NEIGHBOURS and MATRIX fit */
#define CONTROL_WINDOW_BYTES   (256u << 10) /* control mail not freed; past it no more is read */
#define LANE_WINDOW_BYTES      (2u << 20) /* the same of small and bulk; the largest message fits */
/* Mail of all peers that is not freed; past it the heaviest is not read. Half of it: of messages
 * that are not whole yet. */
#define PEERS_MAIL_BYTES_MAX (64u << 20)

#define LANE_GRANT_BYTES      (256u << 10) /* credit is told in pieces of this size at least */
#define LANE_FRAME_COST       256u  /* counted for each frame beside its bytes: its structs */
#define LANE_SHARE_BYTES      4096u /* of each record for a lane that waits behind a higher one */
#define LANE_PIECE_BYTES_MIN  512u  /* no smaller piece of a message, the last of it aside */
#define PEER_QUEUE_BYTES_MAX  (1u << 20)  /* to be sent to one peer; then its deltas are merged */
#define PEER_QUEUE_CEILING    (32u << 20) /* answers that it does not take; then it is hung up on */
#define PEER_WINDOW_RETRY_MS  2u          /* to see whether mail was freed */
#define PEER_READ_BYTES       (128u << 10) /* of one connection, then others have their turn */
#define PEER_READ_TURN_BYTES  (512u << 10) /* of all connections in a turn */
#define PEER_WRITE_BYTES      (64u << 10)  /* sealed and written at once … */
#define PEER_WRITE_TURN_BYTES (512u << 10) /* … and of one connection in a turn */
#define PEER_UNSENT_BYTES     (128 << 10)  /* in the system's buffer: what a ping waits for there */
#define GOODBYE_MS            1000u        /* for the far end to take the last record, and close */
#define GOODBYE_ALL_MS        300u         /* the same when this node stops, for all of them */
#define ACCEPT_PAUSE_MS       100u         /* after descriptors ran out */
#define ACCEPTS_A_TURN        4u  /* strangers, some 0.15 ms; then others have their turn */
#define RESOLVES_MAX          64u /* names being resolved; more are refused */

/* --- the process ------------------------------------------------------------------------- */
#define SPARE_MEMORY_BYTES (4u << 20) /* malloc may keep so much of a peak; what is beyond … */
#define SPARE_LOOK_S       30         /* … goes back when it is looked for, so often */

#endif
