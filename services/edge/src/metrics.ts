import type { Metrics } from '@chatbox/runtime'

export type EdgeMetrics = ReturnType<typeof edgeMetrics>

export const edgeMetrics = (metrics: Metrics) => ({
  connections: metrics.gauge({
    name: 'edge_connections',
    help: 'Sockets that are open, those without a hello included.',
  }),
  handshakes: metrics.counter({
    name: 'edge_handshakes_total',
    help: 'Requests to open a socket, by outcome.',
    labels: ['outcome'],
  }),
  unauthenticated: metrics.counter({
    name: 'edge_unauthenticated_total',
    help: 'Sockets that counted against their address, by why: a bad token, or no hello at all.',
    labels: ['why'],
  }),
  received: metrics.counter({
    name: 'edge_frames_received_total',
    help: 'Valid frames from clients, by type.',
    labels: ['type'],
  }),
  passedOver: metrics.counter({
    name: 'edge_frames_passed_over_total',
    help: 'Valid frames that nothing came of, because a later one took their place, a limit was reached or a store was away, by type.',
    labels: ['type'],
  }),
  sent: metrics.counter({ name: 'edge_frames_sent_total', help: 'Frames handed to sockets.' }),
  faults: metrics.counter({
    name: 'edge_errors_total',
    help: 'Error frames sent to clients, by code.',
    labels: ['code'],
  }),
  closed: metrics.counter({
    name: 'edge_closed_total',
    help: 'Connections that this edge closed, by reason.',
    labels: ['reason'],
  }),
  left: metrics.counter({
    name: 'edge_left_total',
    help: 'Connections that the other end left: closed, or cut without a word (a lost network, or bytes that the transport does not take).',
    labels: ['how'],
  }),
  replaced: metrics.counter({
    name: 'edge_replaced_total',
    help: 'Connections that gave way to a newer one of the same device.',
  }),
  repairs: metrics.counter({
    name: 'edge_repairs_total',
    help: 'Snapshots sent to devices that had been too slow for deltas.',
  }),
  lost: metrics.counter({
    name: 'edge_unrecovered_total',
    help: 'Connections that had to be told to load again, by occasion.',
    labels: ['occasion'],
  }),
  gaps: metrics.counter({
    name: 'edge_gaps_total',
    help: "Times that a user's log was read again, because something of it may have been missed.",
  }),
  disabledAge: metrics.gauge({
    name: 'edge_disabled_list_age_seconds',
    help: 'How long ago the list of disabled users could be read, as of the last look at it.',
  }),
  stores: metrics.counter({
    name: 'edge_store_faults_total',
    help: 'Calls to a store that was away, or did not answer in time, by port.',
    labels: ['port'],
  }),
})
