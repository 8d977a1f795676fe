package dev.freshet.testing;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.BeanScope;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Expression;
import org.apache.camel.Predicate;
import org.apache.camel.Processor;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.component.bean.BeanHolder;
import org.apache.camel.component.bean.BeanInfo;
import org.apache.camel.component.bean.BeanProcessor;
import org.apache.camel.component.bean.MethodInfo;
import org.apache.camel.language.bean.BeanLanguage;
import org.apache.camel.spi.BeanProcessorFactory;
import org.apache.camel.support.ExchangeHelper;
import org.apache.camel.support.ExpressionAdapter;

/**
 * Replaces the beans that Camel calls: their methods are looked up and given their arguments as usual, by the classes
 * that the beans really have; but then the calls are noted and not made.
 */
final class NotedBeans extends BeanLanguage implements BeanProcessorFactory {
    /** The index at which Camel's model passes the method to its bean language. */
    private static final int METHOD = 2;

    private static final int REF = 4;

    private final BeanProcessorFactory others;
    private final Map<String, Object> replaced;
    private final Journal journal;
    private final Map<String, BeanInfo> infos = new HashMap<>();

    /** @param replaced the beans to replace, by name; all others are called as usual */
    NotedBeans(CamelContext context, Map<String, Object> replaced, Journal journal) {
        setCamelContext(context);
        this.others = context.getCamelContextExtension().getContextPlugin(BeanProcessorFactory.class);
        this.replaced = replaced;
        this.journal = journal;
    }

    /** A bean as a step. */
    @Override
    public Processor createBeanProcessor(
            CamelContext context,
            Object bean,
            String beanType,
            Class<?> beanClass,
            String ref,
            String method,
            BeanScope scope)
            throws Exception {
        return replaced.containsKey(ref)
                ? asked(ref, method)
                : others.createBeanProcessor(context, bean, beanType, beanClass, ref, method, scope);
    }

    @Override
    public Processor createBeanProcessor(CamelContext context, Object bean, Method method) throws Exception {
        return others.createBeanProcessor(context, bean, method);
    }

    @Override
    public Predicate createPredicate(String expression, Object[] properties) {
        Expression value = createExpression(expression, properties);
        return value instanceof Predicate predicate
                ? predicate
                : exchange -> Boolean.TRUE.equals(value.evaluate(exchange, Boolean.class));
    }

    /** A bean in an expression ({@code method:}). */
    @Override
    public Expression createExpression(String expression, Object[] properties) {
        String ref = property(String.class, properties, REF, null);
        if (!replaced.containsKey(ref)) {
            return super.createExpression(expression, properties);
        }
        Processor asked = asked(ref, property(String.class, properties, METHOD, null));
        return new ExpressionAdapter() {
            @Override
            public Object evaluate(Exchange exchange) {
                Exchange copy = ExchangeHelper.createCopy(exchange, true);
                copy.setPattern(ExchangePattern.InOut);
                copy.setException(null); // a policy asks whether what has failed may succeed later
                try {
                    asked.process(copy);
                } catch (Exception e) {
                    throw RuntimeCamelException.wrapRuntimeCamelException(e);
                }
                if (copy.getException() != null) {
                    throw RuntimeCamelException.wrapRuntimeCamelException(copy.getException());
                }
                return copy.getMessage().getBody();
            }
        };
    }

    private Processor asked(String name, String method) {
        BeanProcessor processor = new BeanProcessor(new Noted(
                infos.computeIfAbsent(name, n -> new Info(name, replaced.get(n).getClass()))));
        processor.setMethod(method);
        return processor;
    }

    private final class Info extends BeanInfo {
        private final String name;

        Info(String name, Class<?> type) {
            super(NotedBeans.this.getCamelContext(), type);
            this.name = name;
        }

        @Override
        protected MethodInfo createMethodInfo(Class<?> type, Method method) {
            MethodInfo found = super.createMethodInfo(type, method);
            return new MethodInfo(
                    getCamelContext(),
                    found.getType(),
                    method,
                    found.getParameters(),
                    found.getBodyParameters(),
                    found.hasCustomAnnotation(),
                    found.hasHandlerAnnotation()) {
                @Override
                protected Object invoke(Method called, Object bean, Object[] arguments, Exchange exchange)
                        throws InvocationTargetException {
                    try {
                        Object answer = journal.call(name + '.' + called.getName(), arguments);
                        return answer == null && called.getReturnType() == boolean.class ? false : answer;
                    } catch (Exception e) {
                        throw new InvocationTargetException(e);
                    }
                }
            };
        }
    }

    private record Noted(BeanInfo info) implements BeanHolder {
        @Override
        public Object getBean(Exchange exchange) {
            return "noted";
        }

        @Override
        public BeanInfo getBeanInfo() {
            return info;
        }

        @Override
        public BeanInfo getBeanInfo(Object bean) {
            return info;
        }

        @Override
        public Processor getProcessor() {
            return null;
        }

        @Override
        public boolean supportProcessor() {
            return false;
        }

        @Override
        public void setErrorHandler(Processor errorHandler) {
            // no bean is called
        }

        @Override
        public Map<String, Object> getOptions() {
            return Map.of();
        }

        @Override
        public void setOptions(Map<String, Object> options) {
            // no bean is created
        }
    }
}
