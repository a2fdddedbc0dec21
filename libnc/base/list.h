/*
 * Intrusive doubly-linked list
 *
 * A list is a ring with a head that belongs to its owner; a link is a member of the object that is
 * listed, so that linking takes no memory and unlinking takes constant time from anywhere. A link
 * that is in no list points at itself: list_del() of it is harmless, and list_linked() says so. The
 * list owns nothing.
 */
#ifndef NC_BASE_LIST_H
#define NC_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

/* The object of TYPE whose MEMBER is LINK. */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks the links of HEAD; the list must not change meanwhile. */
#define list_for_each(it, head) for ((it) = (head)->next; (it) != (head); (it) = (it)->next)

/* As list_for_each, but the link IT may be taken out (and freed) inside; NEXT_IT may not. */
#define list_for_each_safe(it, next_it, head)                                                      \
	for ((it) = (head)->next, (next_it) = (it)->next; (it) != (head);                          \
	     (it) = (next_it), (next_it) = (it)->next)

/* Makes LINK an empty head, or a link in no list. */
static inline void list_init(struct list *link)
{
	link->next = link;
	link->prev = link;
}

/* Says whether HEAD has no links. */
static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Says whether LINK, once initialised, is in a list. */
static inline bool list_linked(const struct list *link)
{
	return link->next != link;
}

/* Puts LINK, which is in no list, before POS: before a head means at the end. */
static inline void list_add_before(struct list *pos, struct list *link)
{
	link->prev = pos->prev;
	link->next = pos;
	pos->prev->next = link;
	pos->prev = link;
}

/* Puts LINK, which is in no list, at the end of HEAD. */
static inline void list_add_tail(struct list *head, struct list *link)
{
	list_add_before(head, link);
}

/* Puts LINK, which is in no list, at the front of HEAD. */
static inline void list_add_head(struct list *head, struct list *link)
{
	list_add_before(head->next, link);
}

/* Takes LINK out of its list, if it is in one; afterwards it is in none. */
static inline void list_del(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Moves all links of FROM, in their order, to the end of HEAD; FROM is empty afterwards. */
static inline void list_splice_tail(struct list *head, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = head->prev;
	from->prev->next = head;
	head->prev->next = from->next;
	head->prev = from->prev;
	list_init(from);
}

/* The first link of HEAD, or NULL when it is empty. */
static inline struct list *list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

/* The last link of HEAD, or NULL when it is empty. */
static inline struct list *list_last(const struct list *head)
{
	return list_empty(head) ? NULL : head->prev;
}

#endif
