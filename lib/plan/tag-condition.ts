/**
 * A condition on a resource's tag. All conditions of a selection must hold.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
 */
export class TagCondition {
  /** The tag is there and has this value. */
  public static equalTo(key: string, value: string): TagCondition {
    return new TagCondition('StringEquals', key, value);
  }

  /** The tag is not there, or has another value. */
  public static notEqualTo(key: string, value: string): TagCondition {
    return new TagCondition('StringNotEquals', key, value);
  }

  /** The tag is there and its value matches; `*` stands for any text. */
  public static like(key: string, pattern: string): TagCondition {
    return new TagCondition('StringLike', key, pattern);
  }

  /** The tag is not there, or its value does not match; `*` stands for any text. */
  public static notLike(key: string, pattern: string): TagCondition {
    return new TagCondition('StringNotLike', key, pattern);
  }

  private constructor(
    /** `StringEquals`, `StringNotEquals`, `StringLike` or `StringNotLike`. */
    public readonly test: string,
    /** The tag. */
    public readonly key: string,
    /** Its value, or a pattern of it. */
    public readonly value: string,
  ) {}
}
