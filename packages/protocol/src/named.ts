import {
  answerBody,
  errorBody,
  feedbackChange,
  messagePage,
  readMark,
  sessionBody,
  sessionChange,
  sessionExport,
  sessionPage,
  shareBody,
  sharedMessagePage,
  sharedMessageView,
  sharedSessionBody,
  sharedSessionView,
  shareRequest,
} from './rest.ts'
import {
  answerRefView,
  answerView,
  errorView,
  feedbackView,
  fileView,
  messageView,
  modelView,
  sessionView,
  spokenView,
  usageView,
} from './views.ts'

/** What schemas are called wherever they are published. */
export const namedViews = {
  Usage: usageView,
  File: fileView,
  Model: modelView,
  Session: sessionView,
  AnswerRef: answerRefView,
  Error: errorView,
  Feedback: feedbackView,
}

export const namedMessages = { Message: messageView, Spoken: spokenView, Answer: answerView }

export const namedBodies = {
  SessionPage: sessionPage,
  SessionBody: sessionBody,
  MessagePage: messagePage,
  AnswerBody: answerBody,
  ShareBody: shareBody,
  SharedSessionBody: sharedSessionBody,
  SharedMessagePage: sharedMessagePage,
  SessionExport: sessionExport,
  ErrorBody: errorBody,
}

export const namedShared = { SharedSession: sharedSessionView, SharedMessage: sharedMessageView }

export const namedRequests = {
  SessionChange: sessionChange,
  ReadMark: readMark,
  FeedbackChange: feedbackChange,
  ShareRequest: shareRequest,
}
