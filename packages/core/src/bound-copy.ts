/**
 * A copy of an object in which some members are others: for tools and models, which may be instances of classes whose methods
 * and getters read private fields that only the object itself has.
 *
 * @module
 */

/** Members of the prototypes become members of the copy, so that spreads of it keep them. */
export function boundCopy<Original extends object>(original: Original, changed: object): Original {
  const members: PropertyDescriptorMap = {}
  for (let level: object = original; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    const descriptors = Object.getOwnPropertyDescriptors(level) as Record<PropertyKey, PropertyDescriptor>
    for (const name of Reflect.ownKeys(descriptors)) {
      if (name === 'constructor' || Object.hasOwn(members, name)) continue
      define(members, name, forwarded(original, name, descriptors[name] as PropertyDescriptor, level === original))
    }
  }
  for (const name of Reflect.ownKeys(changed)) {
    define(members, name, { value: Reflect.get(changed, name), enumerable: true, configurable: true, writable: true })
  }
  return Object.create(Object.getPrototypeOf(original), members) as Original
}

/** An assignment would change the prototype of the list for a member called `__proto__`. */
function define(members: PropertyDescriptorMap, name: PropertyKey, value: PropertyDescriptor): void {
  Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true })
}

function forwarded(original: object, name: PropertyKey, its: PropertyDescriptor, isOwn: boolean): PropertyDescriptor {
  const { value, get, set } = its
  const enumerable = isOwn ? its.enumerable === true : true
  if (get ?? set) {
    return {
      configurable: true,
      enumerable,
      get: () => Reflect.get(original, name),
      ...(set && { set: (next: unknown) => void Reflect.set(original, name, next) }),
    }
  }
  if (isOwn || typeof value !== 'function') return { ...its, configurable: true }
  return { value: value.bind(original), configurable: true, enumerable, writable: true }
}
