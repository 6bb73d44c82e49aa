export const keysSql = {
  replaceKey: 'update sessions set key = :to_key, key_id = :key_id where sid = :sid and key = :from_key',

  keysInUse: "select key_id, count(*) as sessions from sessions where key_id > '' group by key_id",

  keyedBy: 'select sid from sessions where key_id = :key_id and sid > :after order by sid limit :limit',

  resealTurn: `
    update turns set content = :content, text = :text, thread = :thread, feedback_comment = :feedback_comment
    where sid = :sid and seq = :seq`,

  resealSuperseded: `
    update superseded set text = :text, thread = :thread, feedback_comment = :feedback_comment
    where sid = :sid and answer_id = :answer_id`,

  resealNames: `
    update sessions set nm = :to_nm, preview = :to_preview, assisting_admin_name = :to_assisting_admin_name
    where sid = :sid and nm is :from_nm and preview is :from_preview
      and assisting_admin_name is :from_assisting_admin_name`,
} as const
